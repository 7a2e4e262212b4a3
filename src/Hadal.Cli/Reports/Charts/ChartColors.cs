using System.Globalization;
using System.Text.RegularExpressions;
using OxyPlot;

namespace Hadal.Cli.Reports.Charts;

/// <summary>
/// Colours of a chart as CSS, so that one drawing serves light and dark pages: the plot is drawn with stand-in colours, one a CSS colour,
/// which are exchanged in the finished drawing.
/// </summary>
internal sealed partial class ChartColors
{
    private readonly List<string> _css = [];

    /// <summary>The stand-in of a CSS colour.</summary>
    /// <param name="css">Any CSS colour, e.g. <c>var(--ink)</c>.</param>
    /// <param name="opacity">0 (invisible) to 1.</param>
    /// <returns>A colour to plot with.</returns>
    public OxyColor Css(string css, double opacity = 1)
    {
        int index = _css.IndexOf(css);
        if (index < 0)
        {
            index = _css.Count;
            _css.Add(css);
        }

        // Black is spelled differently by the exporter, so the stand-ins start beside it.
        return OxyColor.FromArgb((byte)Math.Round(opacity * 255), 1, (byte)(index >> 8), (byte)index);
    }

    /// <summary>Exchanges the stand-ins.</summary>
    /// <param name="style">Text with colours as the exporter writes them.</param>
    /// <returns>The text with CSS colours.</returns>
    public string Exchange(string style) => StandIn().Replace(style, match =>
    {
        int index = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) << 8 | int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        return index < _css.Count ? _css[index] : match.Value;
    });

    [GeneratedRegex(@"rgb\(1,(\d+),(\d+)\)")]
    private static partial Regex StandIn();
}
