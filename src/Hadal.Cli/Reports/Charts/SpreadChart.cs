using System.Xml.Linq;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Hadal.Cli.Reports.Charts;

/// <summary>One figure of several things, a row each: a dot for every measurement, a mark at their mean, a bar of a standard deviation to both sides.</summary>
internal static class SpreadChart
{
    private const int MostNameCharacters = 17;
    private const double RowHeight = 40;

    /// <summary>A row.</summary>
    /// <param name="Name">What was measured.</param>
    /// <param name="Color">CSS colour.</param>
    /// <param name="Values">The measurements.</param>
    /// <param name="Mean">Their mean.</param>
    /// <param name="Deviation">Their standard deviation; NaN for none.</param>
    /// <param name="Label">The mean as it is to be read.</param>
    public sealed record Row(string Name, string Color, IReadOnlyList<double> Values, double Mean, double Deviation, string Label);

    /// <summary>Draws the rows from top to bottom.</summary>
    /// <param name="rows">At least one.</param>
    /// <param name="width">Width.</param>
    /// <param name="label">How a value is written at the axis.</param>
    /// <param name="fromZero">Whether the axis starts at zero.</param>
    /// <param name="description">What the picture shows.</param>
    /// <param name="id">Prefix of its ids.</param>
    /// <returns>The SVG element.</returns>
    public static XElement Draw(IReadOnlyList<Row> rows, double width, Func<double, string> label, bool fromZero, string description, string id)
    {
        var colors = new ChartColors();
        var muted = colors.Css("var(--muted)");
        double low = rows.Min(r => Math.Min(r.Values.Min(), Low(r))), high = rows.Max(r => Math.Max(r.Values.Max(), High(r)));
        if (fromZero) low = 0;
        double span = high > low ? high - low : Math.Max(1e-9, Math.Abs(high) * 0.01);
        var model = new PlotModel { PlotAreaBorderThickness = new OxyThickness(0), Padding = new OxyThickness(0), PlotMargins = new OxyThickness(132, 4, 16, 24), DefaultFontSize = 13, TextColor = muted };
        model.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Bottom,
            Minimum = fromZero ? 0 : low - span * 0.08,
            Maximum = high + span * 0.1,
            LabelFormatter = label,
            IntervalLength = 80,
            TickStyle = TickStyle.None,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineThickness = 1,
            MajorGridlineColor = colors.Css("var(--grid)"),
            TextColor = muted,
        });
        var names = new CategoryAxis
        {
            Position = AxisPosition.Left,
            StartPosition = 1,
            EndPosition = 0,
            TickStyle = TickStyle.None,
            AxisTickToLabelDistance = 10,
            TextColor = colors.Css("var(--ink)"),
            MinorStep = 1,
            GapWidth = 0,
        };
        names.Labels.AddRange(rows.Select(r => r.Name.Length <= MostNameCharacters ? r.Name : r.Name[..(MostNameCharacters - 1)] + "…"));
        model.Axes.Add(names);
        for (int i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            double below = i + 0.2;
            var dots = new ScatterSeries { MarkerType = MarkerType.Circle, MarkerSize = 3.5, MarkerFill = colors.Css(row.Color, 0.45), MarkerStroke = OxyColors.Transparent };
            dots.Points.AddRange(row.Values.Select(v => new ScatterPoint(v, below)));
            model.Series.Add(dots);
            if (double.IsFinite(row.Deviation) && row.Deviation > 0)
            {
                var bar = new LineSeries { Color = colors.Css(row.Color), StrokeThickness = 2.2 };
                bar.Points.Add(new DataPoint(Low(row), below));
                bar.Points.Add(new DataPoint(High(row), below));
                model.Series.Add(bar);
            }

            var mean = new ScatterSeries { MarkerType = MarkerType.Circle, MarkerSize = 5, MarkerFill = colors.Css(row.Color), MarkerStroke = colors.Css("var(--card)"), MarkerStrokeThickness = 1.5 };
            mean.Points.Add(new ScatterPoint(row.Mean, below));
            model.Series.Add(mean);
            bool right = row.Mean > low + span * 0.7, left = row.Mean < low + span * 0.3;
            model.Annotations.Add(new TextAnnotation
            {
                Text = row.Label,
                TextPosition = new DataPoint(row.Mean, below),
                TextColor = colors.Css("var(--soft)"),
                FontSize = 12,
                TextHorizontalAlignment = right ? HorizontalAlignment.Right : left ? HorizontalAlignment.Left : HorizontalAlignment.Center,
                TextVerticalAlignment = VerticalAlignment.Bottom,

                // The axis runs downwards, and so does what is added to it: this is up.
                Offset = new ScreenVector(0, 6),
                StrokeThickness = 0,
            });
        }

        return SvgDrawing.Draw(model, colors, width, 34 + rows.Count * RowHeight, description, id);
    }

    private static double Low(Row row) => double.IsFinite(row.Deviation) ? row.Mean - row.Deviation : row.Mean;

    private static double High(Row row) => double.IsFinite(row.Deviation) ? row.Mean + row.Deviation : row.Mean;
}
