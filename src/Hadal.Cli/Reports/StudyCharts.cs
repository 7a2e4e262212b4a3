using System.Globalization;
using System.Xml.Linq;
using Hadal.Cli.Ablation;
using Hadal.Cli.Drawing;
using Hadal.Cli.Reports.Charts;
using Hadal.Training.Metrics;
using Hadal.Training.Studies;
using static Hadal.Cli.Reports.ChartCard;

namespace Hadal.Cli.Reports;

/// <summary>The pictures of a study's page.</summary>
/// <param name="study">The study.</param>
/// <param name="result">What it found.</param>
/// <param name="observations">The runs behind it.</param>
internal sealed class StudyCharts(Study study, StudyResult result, IReadOnlyList<StudyObservation> observations)
{
    private const int MostPoints = 400;
    private const int MostSeedPoints = 200;

    // Before this share of a run the curves fall so steeply that a difference says when, not how well.
    private const double Settled = 0.1;

    /// <summary>The colour of a variant.</summary>
    public static string Color(Study study, string variant) =>
        PageStyle.Category(study.Variants.Select((v, i) => (v.Name, i)).First(v => v.Name == variant).i);

    /// <summary>The sections with pictures; none where nothing has been computed.</summary>
    public IEnumerable<XElement> Sections() => [.. Outcome(), .. Learning(), .. Balance()];

    private IEnumerable<XElement> Outcome()
    {
        var losses = Rows(v => v.ValidationLoss is { } s ? (v.Runs.Where(r => r.Complete).Select(r => r.ValidationLoss), s) : null, _ => StudyTable.Nats);
        if (losses.Count == 0) losses = Rows(v => v.TrainLoss is { } s ? (v.Runs.Where(r => r.Complete).Select(r => r.TrainLoss), s) : null, _ => StudyTable.Nats);
        var times = Rows(v => v.SecondsPerStep is { } s ? (v.Runs.Select(r => r.SecondsPerStep), s) : null, StudyTable.SecondsLike);
        if (losses.Count == 0 && times.Count == 0) yield break;
        bool validated = result.Variants.Any(v => v.ValidationLoss is not null);
        yield return new XElement("h2", "What came out");
        yield return HtmlPage.Element("p", "explain", "A pale dot is a run, the large dot the mean over the seeds, the bar a standard deviation to both sides. Lower is better.");
        yield return HtmlPage.Element("div", "pair",
            losses.Count == 0 ? null : Figure(validated ? "Validation loss at the end" : "Smoothed training loss at the end", "nats per token", [], null,
                SpreadChart.Draw(losses, 460, v => v.ToString("0.####", CultureInfo.InvariantCulture), false, "Final losses of the variants", "final-")),
            times.Count == 0 ? null : Figure("Time of a step", "seconds, median of a run", [], null,
                SpreadChart.Draw(times, 460, Figures.Number, true, "Time of a step of the variants", "time-")));
    }

    private List<SpreadChart.Row> Rows(Func<VariantResult, (IEnumerable<double?> Values, Spread Spread)?> figure, Func<double, Func<double, string>> spelling)
    {
        var rows = new List<SpreadChart.Row>();
        foreach (var variant in result.Variants)
        {
            if (figure(variant) is not { } found) continue;
            var spelled = spelling(found.Spread.Mean);
            string label = spelled(found.Spread.Mean) + (found.Spread.Count > 1 ? $" ± {spelled(found.Spread.Deviation)}" : "");
            rows.Add(new SpreadChart.Row(variant.Name, Color(study, variant.Name), [.. found.Values.OfType<double>().Where(double.IsFinite)], found.Spread.Mean, found.Spread.Deviation, label));
        }

        return rows;
    }

    private IEnumerable<XElement> Learning()
    {
        var curves = study.Variants.Select(v => (v.Name, Curves: Of(v.Name).Select(o => LossCurve.Smooth(o.Steps)).ToList(), Mean: LossCurve.Mean([.. Whole(v.Name).Select(o => LossCurve.Smooth(o.Steps))])))
            .Where(v => v.Curves.Count > 0).ToList();
        int last = curves.Count == 0 ? 0 : curves.Max(v => v.Curves.Max(c => c.Length));
        if (last < 2) yield break;
        yield return new XElement("h2", "How they learned");
        yield return HtmlPage.Element("p", "explain",
            "Loss of the next token on the training text, as a moving average that keeps 0.9 of itself at every step: the thick curve is the mean over the seeds, a thin one is a run.");
        yield return Figure("Training loss, smoothed", "nats per token", Legend(curves.Select(c => c.Name)), null, Loss(1040, 340, 0, "loss-").As("wide"), Loss(420, 300, 0, "loss-narrow-").As("narrow"));
        if (last >= 20)
            yield return Figure("The second half", "nats per token", [], null, Loss(1040, 300, last / 2, "half-").As("wide"), Loss(420, 280, last / 2, "half-narrow-").As("narrow"));
        if (Differences() is { } differences) yield return differences;
        if (Validation() is { } validation) yield return validation;

        XElement Loss(double width, double height, int from, string id)
        {
            var chart = new StepChart(from + 1, last, v => v.ToString("0.###", CultureInfo.InvariantCulture));
            foreach (var (name, runs, _) in curves)
            {
                if (runs.Count > 1)
                {
                    foreach (double[] run in runs.Where(r => r.Length > from)) chart.AddCurve(CurvePoints.Of(run.AsSpan(from), from + 1, MostSeedPoints), Color(study, name), thin: true);
                }
            }

            foreach (var (name, _, mean) in curves)
            {
                if (mean.Length > from) chart.AddCurve(CurvePoints.Of(mean.AsSpan(from), from + 1, MostPoints), Color(study, name));
            }

            return chart.Draw(width, height, false, "Smoothed training loss over the steps", id);
        }
    }

    private XElement? Differences()
    {
        var baseline = study.Variants.First(v => v.Name == study.Baseline);
        var curves = study.Variants.Where(v => v != baseline).Select(v => (v.Name, Curves: StudyResult.DifferenceCurves(v, baseline, study.Seeds, observations))).Where(v => v.Curves.Count > 0).ToList();
        if (curves.Count == 0) return null;
        int last = curves.Max(v => v.Curves.Max(c => c.Length)), from = (int)(last * Settled);
        if (last - from < 2) return null;
        string band = study.BandPercent is { } b ? $"band: ±{b.ToString("0.###", CultureInfo.InvariantCulture)}%" : "";
        return Figure($"Difference to {study.Baseline}", $"percent of its smoothed loss, from step {Figures.Whole(from + 1)}; above zero is worse", Legend(curves.Select(c => c.Name)), band.Length > 0 ? band : null,
            Draw(1040, 300, "difference-").As("wide"), Draw(420, 280, "difference-narrow-").As("narrow"));

        XElement Draw(double width, double height, string id)
        {
            var chart = new StepChart(from + 1, last, v => v.ToString("0.###", CultureInfo.InvariantCulture));
            if (study.BandPercent is { } half) chart.AddBand(-half, half, PageStyle.Baseline);
            chart.AddCurve([new StepPoint(from + 1, 0, 0, 0), new StepPoint(last, 0, 0, 0)], "var(--axis)");
            foreach (var (name, runs) in curves)
            {
                if (runs.Count > 1)
                {
                    foreach (double[] run in runs) chart.AddCurve(Points(run, from, MostSeedPoints), Color(study, name), thin: true);
                }
            }

            foreach (var (name, runs) in curves) chart.AddCurve(Points(LossCurve.Mean(runs), from, MostPoints), Color(study, name));
            return chart.Draw(width, height, false, $"Difference of the smoothed losses to {study.Baseline} in percent over the steps", id);
        }

        static StepPoint[] Points(double[] curve, int from, int most) =>
            CurvePoints.Of(Array.ConvertAll(curve, v => v * 100).AsSpan(Math.Min(from, curve.Length)), from + 1, most);
    }

    private XElement? Validation()
    {
        var variants = study.Variants.Select(v => (v.Name, Points: MeanOverSeeds(v.Name))).Where(v => v.Points.Count > 0).ToList();
        if (variants.Count == 0 || variants.Max(v => v.Points.Count) < 3) return null;
        int first = variants.Min(v => v.Points[0].Step), last = variants.Max(v => v.Points[^1].Step);
        return Figure("Validation loss", "nats per token, mean over the seeds", Legend(variants.Select(v => v.Name)), null, Draw(1040, 300, "validation-").As("wide"), Draw(420, 280, "validation-narrow-").As("narrow"));

        XElement Draw(double width, double height, string id)
        {
            var chart = new StepChart(first, last, v => v.ToString("0.###", CultureInfo.InvariantCulture));
            foreach (var (name, points) in variants) chart.AddPoints(TrainingCharts.Thin(points, 60), Color(study, name));
            return chart.Draw(width, height, false, "Validation loss over the steps", id);
        }
    }

    // Only steps at which every run of the variant has been validated: a mean over other seeds would jump.
    private List<(int Step, double Value)> MeanOverSeeds(string variant)
    {
        var runs = Whole(variant);
        return [.. runs.SelectMany(o => o.Steps).Where(s => s.ValidationLoss is { } v && double.IsFinite(v)).GroupBy(s => s.Step).Where(g => g.Count() == runs.Count)
            .OrderBy(g => g.Key).Select(g => (g.Key, g.Average(s => s.ValidationLoss!.Value)))];
    }

    private IEnumerable<XElement> Balance()
    {
        var variants = study.Variants.Select(v => (v.Name, Curve: LossCurve.Mean([.. Whole(v.Name).Where(o => o.Steps[^1].MaxViolation.Length > 0).Select(o => Worst(o.Steps))]))).Where(v => v.Curve.Length > 1).ToList();
        if (variants.Count == 0) yield break;
        int last = variants.Max(v => v.Curve.Length);
        yield return new XElement("h2", "How the experts shared the work");
        yield return HtmlPage.Element("p", "explain",
            "MaxVio of the worst expert layer: by how much its busiest expert exceeds an even share. 0 is perfect balance; the curve is the mean over the seeds.");
        yield return Figure("MaxVio, worst layer", "largest load / even share − 1", Legend(variants.Select(v => v.Name)), null, Draw(1040, 280, "vio-").As("wide"), Draw(420, 260, "vio-narrow-").As("narrow"));

        XElement Draw(double width, double height, string id)
        {
            var chart = new StepChart(1, last, Figures.Number);
            foreach (var (name, curve) in variants) chart.AddCurve(CurvePoints.Of(curve, 1, MostSeedPoints), Color(study, name));
            return chart.Draw(width, height, true, "MaxVio of the worst layer over the steps", id);
        }

        static double[] Worst(IReadOnlyList<StepMetrics> steps) => [.. steps.Select(s => s.MaxViolation.DefaultIfEmpty(double.NaN).Max())];
    }

    private IEnumerable<StudyObservation> Of(string variant) => observations.Where(o => o.Run.Variant.Name == variant && o.Steps.Count > 0);

    // What means are taken of: runs under way would cut them short.
    private List<StudyObservation> Whole(string variant)
    {
        var begun = Of(variant).ToList();
        return begun.Exists(o => o.Complete) ? [.. begun.Where(o => o.Complete)] : begun;
    }

    private List<XElement> Legend(IEnumerable<string> names) => [.. names.Select(n => Key(n == study.Baseline ? $"{n} (baseline)" : n, Color(study, n)))];
}
