using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Hadal.Cli.Drawing;
using OxyPlot;

namespace Hadal.Cli.Reports.Charts;

/// <summary>Draws a plot as an SVG element that takes its colours, its font and its width from the page around it.</summary>
internal static class SvgDrawing
{
    /// <summary>
    /// Room around the plot area for labels: fixed, because only the browser knows how wide its font is, and because charts below each other then line up.
    /// </summary>
    public static readonly OxyThickness Margins = new(50, 8, 24, 38);

    private const string PngPrefix = "data:image/png;base64,";

    /// <summary>A count or rate at an axis: <c>1,500</c>, <c>20K</c>.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Its label.</returns>
    public static string Label(double value) => Figures.Rate(value).Replace(".0", "", StringComparison.Ordinal);

    /// <summary>Draws a plot.</summary>
    /// <param name="model">The plot.</param>
    /// <param name="colors">Whose stand-ins the plot uses.</param>
    /// <param name="width">Width in the units of the font sizes; the page scales it to its own.</param>
    /// <param name="height">Height in the same units.</param>
    /// <param name="description">What the picture shows, for those who cannot see it.</param>
    /// <param name="id">Prefix of the element's ids, different for every drawing of a page.</param>
    /// <returns>The element, in no namespace, as HTML has it.</returns>
    public static XElement Draw(PlotModel model, ChartColors colors, double width, double height, string description, string id)
    {
        var exporter = new SvgExporter { Width = width, Height = height, IsDocument = false };
        string exported = exporter.ExportToString(model);
        // The model keeps what went wrong to itself and draws the message instead of the plot.
        if (model.GetLastPlotException() is { } failure)
            throw new InvalidOperationException($"The chart \"{description}\" cannot be drawn: {failure.Message}", failure);
        var svg = Clean(XElement.Parse(exported), colors, id);
        svg.ReplaceAttributes(
            new XAttribute("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {width} {height}")),
            new XAttribute("role", "img"),
            new XAttribute("aria-label", description));
        return svg;
    }

    private static XElement Clean(XElement source, ChartColors colors, string id)
    {
        var element = new XElement(source.Name.LocalName);
        foreach (var attribute in source.Attributes())
        {
            if (attribute.IsNamespaceDeclaration) continue;
            string name = attribute.Name.LocalName;
            string value = attribute.Value;
            switch (name)
            {
                case "font-family" or "shape-rendering":
                    continue;
                case "points":
                    value = Shorten(value);
                    break;
                case "x" or "y" or "width" or "height" or "cx" or "cy" when double.TryParse(value, CultureInfo.InvariantCulture, out double number):
                    value = number.ToString("0.##", CultureInfo.InvariantCulture);
                    break;
                case "id":
                    value = id + value;
                    break;
                case "clip-path":
                    value = value.Replace("url(#", $"url(#{id}", StringComparison.Ordinal);
                    break;
                case "href" when value.StartsWith(PngPrefix, StringComparison.Ordinal):
                    value = PngPrefix + Convert.ToBase64String(PngCompression.Compress(Convert.FromBase64String(value[PngPrefix.Length..])));
                    break;
                case "fill":
                    // A custom property counts in a style, not everywhere in an attribute.
                    name = "style";
                    value = "fill:" + colors.Exchange(value);
                    break;
                case "style":
                    value = colors.Exchange(value);
                    break;
            }

            element.SetAttributeValue(name, value);
        }

        foreach (var node in source.Nodes())
        {
            if (node is XElement child) element.Add(Clean(child, colors, id));
            else if (node is XText text) element.Add(new XText(text.Value));
        }

        return element;
    }

    // Points to a tenth of a unit: finer than a screen shows, at half the bytes.
    private static string Shorten(string points)
    {
        var shortened = new StringBuilder(points.Length);
        foreach (string coordinate in points.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (shortened.Length > 0) shortened.Append(' ');
            shortened.Append(CultureInfo.InvariantCulture, $"{double.Parse(coordinate, CultureInfo.InvariantCulture):0.#}");
        }

        return shortened.ToString();
    }
}
