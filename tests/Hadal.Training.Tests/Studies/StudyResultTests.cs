using System.Text.Json.Nodes;
using Hadal.Training.Metrics;
using Hadal.Training.Studies;

namespace Hadal.Training.Tests.Studies;

public class StudyResultTests
{
    private const double Tolerance = 1e-12; // sums of a few numbers in FP64

    [Fact]
    public void Smoothing_keeps_nine_tenths_and_passes_over_what_is_no_number()
    {
        double[] smooth = LossCurve.Smooth([Step(1, double.NaN), Step(2, 4), Step(3, 2), Step(4, double.PositiveInfinity), Step(5, 3)]);
        Assert.Equal(double.NaN, smooth[0]);
        Assert.Equal([4, 3.8, 3.8, 3.72], smooth[1..].Select(v => Math.Round(v, 12)));
    }

    [Fact]
    public void Differences_are_relative_and_the_largest_is_sought_only_at_the_end()
    {
        double[] difference = LossCurve.RelativeDifference([8, 3, 2.2, 1.9], [4, 3, 2, 2, 9]);
        Assert.Equal([1, 0, 0.1, -0.05], difference.Select(v => Math.Round(v, 12)));
        Assert.Equal(1, LossCurve.LargestAtEnd(difference, 1));
        Assert.Equal(0.1, LossCurve.LargestAtEnd(difference, 0.5), Tolerance);
        Assert.Equal(0.05, LossCurve.LargestAtEnd(difference, 0.1), Tolerance);
        Assert.Equal(double.NaN, LossCurve.LargestAtEnd([], 0.5));
        Assert.Equal(double.NaN, LossCurve.LargestAtEnd([1, double.NaN], 0.5));
    }

    [Fact]
    public void A_spread_is_the_deviation_of_a_sample()
    {
        Assert.Equal(new Spread(4, 2, 3), Spread.Of([2, 4, null, 6, double.NaN]));
        Assert.Equal(new Spread(7, double.NaN, 1), Spread.Of([7]));
        Assert.Null(Spread.Of([null]));
    }

    [Fact]
    public void Validation_losses_are_compared_seed_by_seed()
    {
        // Seeds differ by more than the variants do: only pairs show that the second is 1% and 3% worse.
        var result = Result([Run("fp32", 1, 2.0), Run("bf16", 1, 2.02), Run("fp32", 2, 4.0), Run("bf16", 2, 4.12)]);
        var (baseline, other) = (result.Variants[0], result.Variants[1]);
        Assert.Null(baseline.ValidationDifference);
        Assert.Equal(0.02, other.ValidationDifference!.Mean, Tolerance);
        Assert.Equal(Math.Sqrt(2e-4), other.ValidationDifference.Deviation, Tolerance);
        Assert.Equal(3.07, other.ValidationLoss!.Mean, Tolerance);
        Assert.Equal(4, result.CompleteRuns);
    }

    [Fact]
    public void Averaging_over_seeds_cancels_what_has_no_sign_and_keeps_what_has()
    {
        // Constant losses are their own averages: +2% in one seed and -2% in the other.
        var result = Result([Run("fp32", 1, 2.0), Run("bf16", 1, 2.04), Run("fp32", 2, 2.0), Run("bf16", 2, 1.96)]);
        var other = result.Variants[1];
        Assert.Equal(0.02, other.CurveDifferenceSecondHalf!.Value, Tolerance);
        Assert.Equal(0.02, other.CurveDifferenceLastTenth!.Value, Tolerance);
        Assert.Equal(0, other.MeanCurveDifferenceSecondHalf!.Value, Tolerance);
    }

    [Fact]
    public void A_run_that_has_no_end_has_no_final_figures_and_no_pair()
    {
        var half = Run("bf16", 1, 2.0) with { Complete = false };
        var result = Result([Run("fp32", 1, 2.0), half]);
        var other = result.Variants[1];
        Assert.Equal((null, null, null), (other.ValidationLoss, other.ValidationDifference, other.CurveDifferenceSecondHalf));
        Assert.Equal((20, false, false), (other.Runs[0].Steps, other.Runs[0].Complete, other.Runs[0].Diverged));
        Assert.Equal(0.5, other.SecondsPerStep!.Mean, Tolerance);
    }

    [Fact]
    public void A_run_diverged_if_it_was_stopped_or_ended_far_above_its_own_best()
    {
        var study = TwoPrecisions();
        var rising = new StudyObservation(study.Runs.First(), true, [.. Enumerable.Range(1, 40).Select(i => Step(i, i <= 20 ? 2 : 3))], null);
        var stopped = new StudyObservation(study.Runs.ElementAt(1), false, [Step(1, 5)], "Step 2: the loss is not a number");
        var result = StudyResult.Of(study, [rising, stopped]);
        Assert.Equal([1, 1], result.Variants.Select(v => v.Diverged));
        Assert.Equal(5, result.Variants[1].Runs[0].TrainLoss);
    }

    [Fact]
    public void MaxVio_is_that_of_the_worst_layer_over_the_last_tenth()
    {
        var study = TwoPrecisions();
        var steps = Enumerable.Range(1, 20).Select(i => Step(i, 3) with { MaxViolation = i <= 18 ? [9, 9] : [0.1 * i, 0.2] }).ToList();
        var result = StudyResult.Of(study, [new StudyObservation(study.Runs.First(), true, steps, null)]);
        Assert.Equal(1.95, result.Variants[0].MaxViolation!.Mean, Tolerance);
    }

    [Fact]
    public void Curves_of_other_batch_sizes_are_not_compared()
    {
        var study = StudyTests.Parse("""{ "vary": "batch_sequences", "values": [4, 8], "seeds": [1] }""");
        var observations = study.Runs.Select(r => new StudyObservation(r, true, [.. Enumerable.Range(1, 20).Select(i => Step(i, 2) with { Tokens = r.Run.TokensAfter(i) })], null)).ToList();
        Assert.Null(StudyResult.Of(study, observations).Variants[1].CurveDifferenceSecondHalf);
    }

    [Fact]
    public void The_document_has_names_in_snake_case_and_null_for_what_is_no_number()
    {
        var json = JsonNode.Parse(Result([Run("fp32", 1, 2.0), Run("bf16", 1, 2.02)]).ToJson())!;
        var other = json["variants"]![1]!;
        Assert.Equal(2.02, (double)other["validation_loss"]!["mean"]!, Tolerance);
        Assert.Null(other["validation_loss"]!["deviation"]);
        Assert.Equal("bf16", (string)other["settings"]!["precision"]!);
        Assert.Equal(1, (int)other["runs"]![0]!["seed"]!);
    }

    private static Study TwoPrecisions() => StudyTests.Parse("""{ "vary": "precision", "values": ["fp32", "bf16"], "seeds": [1, 2] }""");

    private static StudyResult Result(IReadOnlyList<StudyObservation> observations) => StudyResult.Of(TwoPrecisions(), observations);

    private static StudyObservation Run(string variant, ulong seed, double loss)
    {
        var run = TwoPrecisions().Runs.First(r => r.Variant.Name == variant && r.Seed == seed);
        return new StudyObservation(run, true, [.. Enumerable.Range(1, 20).Select(i => Step(i, loss) with { ValidationLoss = i == 20 ? loss : null })], null);
    }

    private static StepMetrics Step(int step, double loss) => new()
    {
        Step = step,
        Tokens = step * TinyRun.Run.TokensPerStep,
        Loss = loss,
        MainLoss = loss,
        MtpLoss = [],
        BalanceLoss = 0,
        GradNorm = 1,
        LearningRate = 1e-3,
        TokensPerSecond = 2 * TinyRun.Run.TokensPerStep,
        MaxViolation = [],
    };
}
