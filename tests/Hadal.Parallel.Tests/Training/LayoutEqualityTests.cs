using Hadal.Training.Runs;

namespace Hadal.Parallel.Tests.Training;

/// <summary>Every way to cut a job over ranks trains the same model as one rank.</summary>
public class LayoutEqualityTests
{
    private const int Steps = 10;

    [Theory]
    [InlineData("1f1b", 2, 1, 1)]
    [InlineData("1f1b", 1, 1, 2)]
    [InlineData("1f1b", 1, 2, 1)]
    [InlineData("zb1p", 4, 1, 1)]
    [InlineData("dualpipe", 2, 1, 1)]
    [InlineData("dualpipe", 4, 1, 1)]
    [InlineData("dualpipev", 2, 1, 1)]
    [InlineData("dualpipev", 4, 1, 1)]
    [InlineData("dualpipe", 2, 2, 2)]
    [InlineData("dualpipev", 2, 2, 2)]
    [InlineData("1f1b", 1, 4, 2)]
    [InlineData("zb1p", 2, 4, 1)]
    [InlineData("dualpipe", 4, 2, 1)]
    [InlineData("1f1b", 8, 1, 1)]
    [InlineData("1f1b", 1, 8, 1)]
    public void Losses_and_gradients_are_those_of_one_rank(string schedule, int pipeline, int experts, int data)
    {
        var run = SmallRun.Of(new ParallelSettings { Schedule = schedule, Pipeline = pipeline, Experts = experts, Data = data });
        var expected = Reference.Value;
        var actual = SmallRun.Train(run, Steps);
        Assert.True(GradientDistance.OfWorst(expected.Gradients[0], actual.Gradients[0]) < 1e-12, "The first step's gradients differ.");
        for (int s = 0; s < Steps; s++)
        {
            Assert.Equal(expected.Metrics[s].Loss, actual.Metrics[s].Loss, 1e-6);

            // From the second step on the weights differ in their last bits, which AdamW makes more of where gradients are tiny: so all gradients together.
            Assert.True(GradientDistance.Of(expected.Gradients[s], actual.Gradients[s]) < 1e-12, $"The gradients of step {s + 1} differ.");
        }
    }

    private static Lazy<SmallRun.Result> Reference { get; } = new(() => SmallRun.Train(SmallRun.Of(null), Steps));
}
