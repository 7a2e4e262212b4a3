using Hadal.Training.Batches;
using Hadal.Training.Presets;
using Hadal.Training.Runs;

namespace Hadal.Parallel.Tests.Training;

/// <summary>
/// The model and recipe of <c>hadal quickstart</c> over ranks, ten steps: <c>dotnet run -c Release --project tests/Hadal.Parallel.Tests -- -explicit only -class "*QuickstartEqualityTests" -showLiveOutput</c>.
/// </summary>
public class QuickstartEqualityTests
{
    private const int Steps = 10;
    private static readonly RunPreset _preset = RunPreset.Quickstart;
    private static readonly Lazy<SmallRun.Result> _one = new(() => SmallRun.Train(Run(null), _preset.Model, Text(), Steps));

    [Theory(Explicit = true)]
    [InlineData("1f1b", 4, 1, 1)]
    [InlineData("zb1p", 4, 2, 1)]
    [InlineData("dualpipe", 4, 1, 1)]
    [InlineData("dualpipe", 2, 2, 2)]
    [InlineData("dualpipe", 4, 2, 1)]
    [InlineData("dualpipev", 2, 2, 2)]
    [InlineData("1f1b", 1, 4, 2)]
    [InlineData("1f1b", 1, 1, 8)]
    [InlineData("1f1b", 1, 8, 1)]
    public void Ten_steps_have_the_losses_and_gradients_of_one_rank(string schedule, int pipeline, int experts, int data)
    {
        var actual = SmallRun.Train(Run(new ParallelSettings { Schedule = schedule, Pipeline = pipeline, Experts = experts, Data = data }), _preset.Model, Text(), Steps);
        var expected = _one.Value;
        double[] losses = [.. expected.Metrics.Zip(actual.Metrics, (e, a) => Math.Abs(e.Loss - a.Loss))];
        double[] gradients = [.. expected.Gradients.Zip(actual.Gradients, GradientDistance.Of)];
        Console.WriteLine(FormattableString.Invariant(
            $"{schedule} {pipeline}x{experts}x{data}: losses within {losses.Max():E1}, gradients within {gradients.Max():E1}, of the first step within {GradientDistance.OfWorst(expected.Gradients[0], actual.Gradients[0]):E1} for any parameter"));
        Assert.All(losses, d => Assert.True(d < 1e-6));
        Assert.True(gradients[0] < 1e-12);

        // From then on the weights differ in their last bits, of which AdamW makes more where gradients are tiny: also between two copies on other micro-batches alone.
        Assert.All(gradients, d => Assert.True(d < 1e-10));
    }

    private static RunConfig Run(ParallelSettings? parallel) => _preset.ToRun("tokenizer", ["text"], _preset.Model.VocabularySize) with
    {
        Steps = _preset.Recipe.Steps,
        BatchSequences = 16,
        MicroBatchSequences = 1,
        Parallel = parallel,
    };

    private static RandomTokens Text() => new(_preset.Model.VocabularySize, seed: 3);
}
