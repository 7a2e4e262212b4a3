using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Hadal.Cli.Reports.Charts;

/// <summary>A chart of values over the steps of a run, in the report's look: quiet axes, thin grid, no frame, legend left to the page.</summary>
internal sealed class StepChart
{
    private const double FontSize = 13;

    private readonly ChartColors _colors = new();
    private readonly PlotModel _model;
    private readonly Axis _value;
    private readonly double _firstStep;
    private readonly double _lastStep;
    private double _low = double.PositiveInfinity;
    private double _high = double.NegativeInfinity;

    /// <summary>Makes an empty chart.</summary>
    /// <param name="firstStep">Left edge.</param>
    /// <param name="lastStep">Right edge.</param>
    /// <param name="label">How a value is written at the axis.</param>
    /// <param name="logarithmic">Whether equal ratios get equal heights; values must be positive then.</param>
    public StepChart(int firstStep, int lastStep, Func<double, string> label, bool logarithmic = false)
    {
        (_firstStep, _lastStep) = lastStep > firstStep ? (firstStep, (double)lastStep) : (firstStep - 0.5, firstStep + 0.5);
        var muted = _colors.Css("var(--muted)");
        _model = new PlotModel
        {
            PlotAreaBorderThickness = new OxyThickness(0),
            Padding = new OxyThickness(0),
            PlotMargins = SvgDrawing.Margins,
            DefaultFontSize = FontSize,
            TextColor = muted,
        };
        _model.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Bottom,
            Minimum = _firstStep,
            // A little room for half of a marker at the last step.
            Maximum = _lastStep + (_lastStep - _firstStep) * 0.006,
            MinimumMajorStep = 1,
            LabelFormatter = SvgDrawing.Label,
            Title = "step",
            AxisTitleDistance = 9,
            IntervalLength = 90,
            MinimumPadding = 0,
            MaximumPadding = 0,
            TickStyle = TickStyle.None,
            AxislineStyle = LineStyle.Solid,
            AxislineColor = _colors.Css("var(--axis)"),
            TextColor = muted,
            TitleColor = muted,
        });
        _value = logarithmic ? new LogarithmicAxis() : new LinearAxis();
        _value.Position = AxisPosition.Left;
        _value.LabelFormatter = label;
        _value.IntervalLength = 45;
        _value.TickStyle = TickStyle.None;
        _value.AxisTickToLabelDistance = 8;
        _value.MajorGridlineStyle = LineStyle.Solid;
        _value.MajorGridlineThickness = 1;
        _value.MajorGridlineColor = _colors.Css("var(--grid)");
        _value.TextColor = muted;
        _model.Axes.Add(_value);
    }

    /// <summary>Adds a curve of means, over the range of each stretch as a faint band where stretches were merged.</summary>
    /// <param name="points">The curve.</param>
    /// <param name="color">CSS colour.</param>
    /// <param name="band">Whether to draw the ranges.</param>
    /// <param name="dashed">Whether the line is dashed.</param>
    /// <param name="thin">Whether it stays in the background.</param>
    public void AddCurve(StepPoint[] points, string color, bool band = false, bool dashed = false, bool thin = false)
    {
        if (band)
        {
            var area = new AreaSeries { Color = OxyColors.Transparent, Color2 = OxyColors.Transparent, StrokeThickness = 0, Fill = _colors.Css(color, 0.18) };
            foreach (var p in points)
            {
                area.Points.Add(new DataPoint(p.Step, p.High));
                area.Points2.Add(new DataPoint(p.Step, p.Low));
                Include(p.Low, p.High);
            }

            _model.Series.Add(area);
        }

        var line = new LineSeries { Color = _colors.Css(color, thin ? 0.35 : 1), StrokeThickness = thin ? 0.9 : 1.8, LineJoin = LineJoin.Round };
        if (dashed) line.Dashes = [5, 3];
        // A lone point draws no line.
        if (points.Count(p => !double.IsNaN(p.Mean)) == 1) SetMarkers(line, color);
        foreach (var p in points)
        {
            line.Points.Add(new DataPoint(p.Step, p.Mean));
            Include(p.Mean, p.Mean);
        }

        _model.Series.Add(line);
    }

    /// <summary>Adds points with a thin line between them.</summary>
    /// <param name="points">Step and value.</param>
    /// <param name="color">CSS colour.</param>
    public void AddPoints(IEnumerable<(int Step, double Value)> points, string color)
    {
        var line = new LineSeries { Color = _colors.Css(color), StrokeThickness = 1.4, LineJoin = LineJoin.Round };
        SetMarkers(line, color);
        foreach (var (step, value) in points)
        {
            if (!double.IsFinite(value)) continue;
            line.Points.Add(new DataPoint(step, value));
            Include(value, value);
        }

        _model.Series.Add(line);
    }

    /// <summary>Adds a level: a dashed line from edge to edge with its name below it at the left.</summary>
    /// <param name="value">The level.</param>
    /// <param name="text">Its name.</param>
    /// <param name="color">CSS colour.</param>
    public void AddLevel(double value, string text, string color)
    {
        Include(value, value);
        var line = new LineSeries { Color = _colors.Css(color), StrokeThickness = 1.6, Dashes = [4, 3] };
        line.Points.Add(new DataPoint(_firstStep, value));
        line.Points.Add(new DataPoint(_lastStep, value));
        _model.Series.Add(line);
        // Losses come from above: on the left they are far from the level, and below it there is nothing yet.
        _model.Annotations.Add(new TextAnnotation
        {
            Text = text,
            TextPosition = new DataPoint(_firstStep, value),
            TextColor = _colors.Css(color),
            FontWeight = 600,
            TextHorizontalAlignment = HorizontalAlignment.Left,
            TextVerticalAlignment = VerticalAlignment.Top,
            Offset = new ScreenVector(4, 4),
            StrokeThickness = 0,
        });
    }

    /// <summary>Adds a band from edge to edge.</summary>
    /// <param name="low">Its lower edge.</param>
    /// <param name="high">Its upper edge.</param>
    /// <param name="color">CSS colour.</param>
    public void AddBand(double low, double high, string color)
    {
        var area = new AreaSeries { Color = OxyColors.Transparent, Color2 = OxyColors.Transparent, StrokeThickness = 0, Fill = _colors.Css(color, 0.12) };
        foreach (double step in (double[])[_firstStep, _lastStep])
        {
            area.Points.Add(new DataPoint(step, high));
            area.Points2.Add(new DataPoint(step, low));
        }

        Include(low, high);
        _model.Series.Add(area);
    }

    /// <summary>Draws the chart.</summary>
    /// <param name="width">Width.</param>
    /// <param name="height">Height.</param>
    /// <param name="fromZero">Whether the axis starts at zero.</param>
    /// <param name="description">What the picture shows.</param>
    /// <param name="id">Prefix of its ids.</param>
    /// <returns>The SVG element.</returns>
    public System.Xml.Linq.XElement Draw(double width, double height, bool fromZero, string description, string id)
    {
        SetRange(fromZero);
        return SvgDrawing.Draw(_model, _colors, width, height, description, id);
    }

    private void SetMarkers(LineSeries line, string color)
    {
        line.MarkerType = MarkerType.Circle;
        line.MarkerSize = 3.5;
        line.MarkerFill = _colors.Css(color);
        line.MarkerStroke = _colors.Css("var(--card)");
        line.MarkerStrokeThickness = 1;
    }

    private void Include(double low, double high)
    {
        if (double.IsFinite(low)) _low = Math.Min(_low, low);
        if (double.IsFinite(high)) _high = Math.Max(_high, high);
    }

    private void SetRange(bool fromZero)
    {
        if (_low > _high) (_low, _high) = (0, 1);
        if (_value is LogarithmicAxis)
        {
            _value.Minimum = _low / 1.15;
            _value.Maximum = _high * 1.15;
            return;
        }

        double low = fromZero ? Math.Min(0, _low) : _low;
        double span = _high - low;
        if (!(span > 0)) span = Math.Max(1e-12, Math.Abs(_high));
        _value.Minimum = fromZero && low == 0 ? 0 : low - span * 0.06;
        _value.Maximum = _high + span * 0.06;
    }
}
