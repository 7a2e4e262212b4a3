using System.Globalization;
using System.Xml.Linq;
using Hadal.Cli.Drawing;
using Hadal.Cli.Reports.Charts;
using static Hadal.Cli.Reports.ChartCard;

namespace Hadal.Cli.Reports;

/// <summary>The pictures of a training report, each with a sentence for readers who do not know the architecture.</summary>
internal static class TrainingCharts
{
    private const int MostPoints = 400;
    private const int MostValidationPoints = 200;
    private const int MostLayers = 12;
    private const int MostMapColumns = 180;
    private const double HalfWidth = 460;
    private const double HalfHeight = 230;

    /// <summary>The sections with pictures.</summary>
    /// <param name="run">The run.</param>
    /// <returns>Elements in order; none for a run without steps.</returns>
    public static IEnumerable<XElement> Sections(ReportedRun run)
    {
        if (run.Steps.Count == 0) return [];
        return [.. Loss(run), .. Optimization(run), .. Experts(run), .. Speed(run)];
    }

    private static IEnumerable<XElement> Loss(ReportedRun run)
    {
        var buckets = new StepBuckets(run.Steps, MostPoints);
        int modules = run.Last!.MtpLoss.Length;
        var validation = Thin([.. run.Steps.Where(s => s.ValidationLoss is not null).Select(s => (s.Step, s.ValidationLoss!.Value))], MostValidationPoints);
        if (validation.Count == 0 && run.ValidationLoss is { } end) validation = [(run.Last.Step, end)];

        XElement Draw(double width, double height, string id)
        {
            var chart = Chart(run, v => v.ToString("0.##", CultureInfo.InvariantCulture));
            if (run.Data.BigramLoss is { } bigram && double.IsFinite(bigram)) chart.AddLevel(bigram, $"bigram {Figures.Loss(bigram)}", PageStyle.Baseline);
            for (int m = modules - 1; m >= 0; m--)
            {
                int module = m;
                chart.AddCurve(buckets.Reduce(s => module < s.MtpLoss.Length ? s.MtpLoss[module] : double.NaN), PageStyle.Mtp(m));
            }

            chart.AddCurve(buckets.Reduce(s => s.MainLoss), PageStyle.Main, band: buckets.Merged);
            if (validation.Count > 0) chart.AddPoints(validation, PageStyle.Validation);
            return chart.Draw(width, height, false, "Loss over the steps of the run", id);
        }

        var legend = new List<XElement> { Key("next token", PageStyle.Main) };
        for (int m = 0; m < modules; m++) legend.Add(Key(modules == 1 ? "token after next (MTP)" : $"MTP module {m + 1}", PageStyle.Mtp(m)));
        if (validation.Count > 0) legend.Add(Key("validation", PageStyle.Validation, "dot"));
        if (run.Data.BigramLoss is not null) legend.Add(Key("smoothed bigram", PageStyle.Baseline, "dash"));

        yield return new XElement("h2", "What it learned");
        yield return HtmlPage.Element("p", "explain",
            "The loss is how surprised the model is by the token that really comes next: 0 would be certainty, and 0.69 less means half as unsure. " +
            (validation.Count > 0 ? "Validation measures it on text that was kept out of training. " : "") +
            (run.Data.BigramLoss is not null
                ? "The dashed line is what counting pairs of neighbouring tokens achieves; a model below it uses more than the last word. "
                : "") +
            (modules > 0
                ? "MTP, multi-token prediction, is a small extra module that guesses one token further ahead, which is harder: it enriches the training, " +
                  "and later its guesses speed up writing."
                : ""));
        yield return Figure("Loss", "nats per token", legend, buckets.Merged ? "band: range within the steps of a point" : null,
            Draw(1040, 360, "loss-wide-").As("wide"), Draw(420, 300, "loss-narrow-").As("narrow"));
    }

    private static IEnumerable<XElement> Optimization(ReportedRun run)
    {
        var buckets = new StepBuckets(run.Steps, MostPoints);
        var rate = Chart(run, Figures.Number);
        rate.AddCurve(buckets.Reduce(s => s.LearningRate), PageStyle.Main);

        var norms = buckets.Reduce(s => s.GradNorm > 0 ? s.GradNorm : double.NaN);
        var known = norms.Where(p => !double.IsNaN(p.Mean)).ToList();
        // Equal ratios at equal heights once spikes would flatten everything else.
        bool logarithmic = known.Count > 0 && known.Max(p => p.High) / known.Min(p => p.Low) > 20;
        var norm = Chart(run, Figures.Number, logarithmic);
        norm.AddCurve(norms, PageStyle.Main, band: buckets.Merged);

        yield return new XElement("h2", "How it was steered");
        yield return HtmlPage.Element("p", "explain",
            "The learning rate says how far each step may move the weights; it usually rises at first and fades out at the end. " +
            "The gradient norm is how strongly a batch pulls at the weights, before clipping; a calm curve is a healthy run.");
        yield return HtmlPage.Element("div", "pair",
            Figure("Learning rate", null, [], null, rate.Draw(HalfWidth, HalfHeight, true, "Learning rate over the steps", "rate-")),
            Figure("Gradient norm", logarithmic ? "before clipping, logarithmic" : "before clipping", [], null,
                norm.Draw(HalfWidth, HalfHeight, true, "Gradient norm over the steps", "norm-")));
    }

    private static IEnumerable<XElement> Experts(ReportedRun run)
    {
        var last = run.Last!;
        int layers = last.MaxViolation.Length;
        if (layers == 0) yield break;
        string[] names = ExpertLayers.Names(layers, last.MtpLoss.Length, run.Data.FirstExpertLayer);
        int[] shown = ExpertLayers.Choose(layers, MostLayers);
        string some = shown.Length < layers ? $" Shown are {shown.Length} of the {layers} expert layers, evenly from first to last." : "";

        yield return new XElement("h2", "How the experts share the work");
        var maps = shown.Select(layer => Map(run, layer, names[layer], shown.Length)).OfType<XElement>().ToList();
        if (maps.Count > 0)
        {
            yield return HtmlPage.Element("p", "explain",
                "In each expert layer a router sends every token to a few of the layer's experts. The load of an expert is the number of tokens it got, " +
                "here as a multiple of an even share: a row is an expert, and plain background means exactly its share. " +
                "A small bias on each expert is nudged after every step until the load evens out." + some);
            yield return Scale();
            yield return HtmlPage.Element("div", "pair", maps);
        }

        // Many curves share the page: fewer points each.
        var buckets = new StepBuckets(run.Steps, shown.Length > 4 ? MostPoints / 2 : MostPoints);
        var chart = Chart(run, Figures.Number);
        var legend = new List<XElement>();
        for (int i = 0; i < shown.Length; i++)
        {
            int layer = shown[i];
            bool module = names[layer].StartsWith("MTP", StringComparison.Ordinal);
            string color = PageStyle.Ordered(i, shown.Length);
            chart.AddCurve(buckets.Reduce(s => layer < s.MaxViolation.Length ? s.MaxViolation[layer] : double.NaN), color, dashed: module);
            legend.Add(Key(names[layer], color, module ? "dash" : null));
        }

        yield return HtmlPage.Element("p", "explain",
            "MaxVio, the maximal violation, condenses each map into one number: by how much the busiest expert exceeds an even share. " +
            "0 is perfect balance, 1 means that one expert has twice its share." +
            (maps.Count == 0 ? some : ""));
        yield return Figure("MaxVio", "largest load / even share − 1", legend, buckets.Merged ? "means of neighbouring steps" : null,
            chart.Draw(1040, 300, true, "MaxVio of each expert layer over the steps", "vio-").As("wide"),
            chart.Draw(420, 280, true, "MaxVio of each expert layer over the steps", "vio-narrow-").As("narrow"));
        if (BiasSpread(run, shown, names) is { } spread) yield return spread;
    }

    private static XElement? BiasSpread(ReportedRun run, int[] shown, string[] names)
    {
        if (!run.Steps.Any(s => s.BiasSpread is { } spread && spread.Any(v => v > 0))) return null;
        var buckets = new StepBuckets(run.Steps, shown.Length > 4 ? MostPoints / 2 : MostPoints);
        var chart = Chart(run, Figures.Number);
        for (int i = 0; i < shown.Length; i++)
        {
            int layer = shown[i];
            bool module = names[layer].StartsWith("MTP", StringComparison.Ordinal);
            chart.AddCurve(buckets.Reduce(s => s.BiasSpread is { } spread && layer < spread.Length ? spread[layer] : double.NaN), PageStyle.Ordered(i, shown.Length), dashed: module);
        }

        return Figure("Bias spread", "largest − smallest router bias, colours as above", [], null,
            chart.Draw(1040, 240, true, "Spread of the router biases of each expert layer over the steps", "spread-").As("wide"),
            chart.Draw(420, 220, true, "Spread of the router biases of each expert layer over the steps", "spread-narrow-").As("narrow"));
    }

    private static XElement? Map(ReportedRun run, int layer, string name, int maps)
    {
        var counted = run.Steps.Where(s => s.ExpertLoad is { } load && layer < load.Length && load[layer].Length > 0).ToList();
        if (counted.Count == 0) return null;
        int experts = counted[^1].ExpertLoad![layer].Length;
        // Many large maps get fewer columns, so that the page keeps its size.
        int columns = Math.Clamp(400_000 / (experts * maps), 60, MostMapColumns);
        var load = new StepBuckets(counted, columns).RelativeLoad(layer, experts);
        double height = experts <= 8 ? 170 : HalfHeight;
        return Figure(name, $"{experts} experts", [], null,
            LoadMap.Draw(load, counted[0].Step, counted[^1].Step, HalfWidth, height, $"Load of the experts of {name} over the steps", $"load-{layer}-"));
    }

    private static XElement Scale() => HtmlPage.Element("div", "scale",
        HtmlPage.Element("span", "from", "idle"),
        HtmlPage.Element("span", "bar"),
        HtmlPage.Element("span", "to", "overloaded"),
        HtmlPage.Element("span", "marks", new XElement("span", "0"), new XElement("span", "1 (even share)"), new XElement("span", "2 or more")));

    private static IEnumerable<XElement> Speed(ReportedRun run)
    {
        var buckets = new StepBuckets(run.Steps, MostPoints);
        var speed = buckets.Reduce(s => s.TokensPerSecond > 0 ? s.TokensPerSecond : double.NaN);
        if (speed.All(p => double.IsNaN(p.Mean))) yield break;
        var chart = Chart(run, SvgDrawing.Label);
        chart.AddCurve(speed, PageStyle.Main);
        yield return new XElement("h2", "How fast it went");
        yield return HtmlPage.Element("p", "explain", "Tokens trained on per second, forward and backward passes and the optimizer included.");
        yield return Figure("Training speed", "tokens/s", [], null,
            chart.Draw(1040, 240, true, "Tokens per second over the steps", "speed-").As("wide"),
            chart.Draw(420, 220, true, "Tokens per second over the steps", "speed-narrow-").As("narrow"));
    }

    private static StepChart Chart(ReportedRun run, Func<double, string> label, bool logarithmic = false) =>
        new(run.Steps[0].Step, run.Steps[^1].Step, label, logarithmic);

    internal static List<(int Step, double Value)> Thin(List<(int Step, double Value)> points, int most)
    {
        if (points.Count <= most) return points;
        var thinned = new List<(int Step, double Value)>(most);
        for (int i = 0; i < most; i++) thinned.Add(points[(int)((long)i * (points.Count - 1) / (most - 1))]);
        return thinned;
    }
}
