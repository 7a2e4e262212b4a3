using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Hadal.Cli.Reports.Charts;

/// <summary>The load of a layer's experts over the steps as a heat map.</summary>
/// <remarks>
/// The colours fade to nothing at an even share, so that balance looks like the page itself in light and in dark.
/// <see cref="PageStyle"/> has the same scale for the legend.
/// </remarks>
internal static class LoadMap
{
    /// <summary>The relative load at which the scale ends.</summary>
    public const double Most = 2;

    private const int Shades = 64;
    private const double FontSize = 13;

    /// <summary>Draws a layer.</summary>
    /// <param name="relativeLoad">By stretch of steps and expert; 1 is an even share, NaN not known.</param>
    /// <param name="firstStep">Left edge.</param>
    /// <param name="lastStep">Right edge.</param>
    /// <param name="width">Width.</param>
    /// <param name="height">Height.</param>
    /// <param name="description">What the picture shows.</param>
    /// <param name="id">Prefix of its ids.</param>
    /// <returns>The SVG element.</returns>
    public static System.Xml.Linq.XElement Draw(double[,] relativeLoad, int firstStep, int lastStep, double width, double height, string description, string id)
    {
        int stretches = relativeLoad.GetLength(0);
        int experts = relativeLoad.GetLength(1);
        var colors = new ChartColors();
        var muted = colors.Css("var(--muted)");
        (double first, double last) = lastStep > firstStep ? (firstStep, (double)lastStep) : (firstStep - 0.5, firstStep + 0.5);
        var model = new PlotModel
        {
            PlotAreaBorderThickness = new OxyThickness(1),
            PlotAreaBorderColor = colors.Css("var(--axis)"),
            Padding = new OxyThickness(0),
            PlotMargins = SvgDrawing.Margins,
            DefaultFontSize = FontSize,
            TextColor = muted,
        };
        model.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Bottom,
            Minimum = first,
            Maximum = last,
            MinimumMajorStep = 1,
            LabelFormatter = SvgDrawing.Label,
            Title = "step",
            AxisTitleDistance = 9,
            IntervalLength = 90,
            TickStyle = TickStyle.None,
            TextColor = muted,
            TitleColor = muted,
        });
        model.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Left,
            // Expert 0 on top; a row is centred on its number.
            StartPosition = 1,
            EndPosition = 0,
            Minimum = -0.5,
            Maximum = experts - 0.5,
            MajorStep = LabelStep(experts),
            TickStyle = TickStyle.None,
            AxisTickToLabelDistance = 8,
            TextColor = muted,
        });
        model.Axes.Add(new LinearColorAxis
        {
            Position = AxisPosition.None,
            Minimum = 0,
            Maximum = Most,
            Palette = Palette(),
            InvalidNumberColor = OxyColors.Transparent,
        });

        var clamped = new double[stretches, experts];
        for (int i = 0; i < stretches; i++)
        {
            for (int e = 0; e < experts; e++) clamped[i, e] = Math.Clamp(relativeLoad[i, e], 0, Most - 1e-9);
        }

        model.Series.Add(new HeatMapSeries
        {
            Data = clamped,
            X0 = first,
            X1 = last,
            Y0 = -0.5,
            Y1 = experts - 0.5,
            CoordinateDefinition = HeatMapCoordinateDefinition.Edge,
            Interpolate = false,
            RenderMethod = HeatMapRenderMethod.Bitmap,
        });
        return SvgDrawing.Draw(model, colors, width, height, description, id);
    }

    private static double LabelStep(int experts)
    {
        int step = 1;
        while (experts / step > 8) step *= 2;
        return step;
    }

    // Blue below an even share, orange above it, both by opacity alone.
    private static OxyPalette Palette()
    {
        var shades = new OxyColor[Shades];
        for (int i = 0; i < Shades; i++)
        {
            double load = (i + 0.5) / Shades * Most;
            byte opacity = (byte)Math.Round(Math.Min(1, Math.Abs(load - 1)) * 242);
            shades[i] = load < 1 ? OxyColor.FromArgb(opacity, 37, 99, 235) : OxyColor.FromArgb(opacity, 234, 88, 12);
        }

        return new OxyPalette(shades);
    }
}
