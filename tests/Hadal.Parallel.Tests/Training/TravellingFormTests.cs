using System.Text;
using System.Text.Json.Nodes;
using Hadal.Training.Runs;

namespace Hadal.Parallel.Tests.Training;

/// <summary>Runs whose rows cross nodes and travel in short forms, set in the run file.</summary>
public class TravellingFormTests
{
    private const int Steps = 10;

    [Theory]
    [InlineData(4, 1)]
    [InlineData(4, 2)]
    [InlineData(8, 4)]
    public void Rows_that_cross_nodes_train_the_model_of_one_rank(int experts, int ranksPerNode)
    {
        var actual = SmallRun.Train(FromFile($$"""{"experts": {{experts}}, "ranks_per_node": {{ranksPerNode}}}"""), Steps);
        Assert.True(GradientDistance.OfWorst(Reference.Value.Gradients[0], actual.Gradients[0]) < 1e-12, "The first step's gradients differ.");
        for (int s = 0; s < Steps; s++) Assert.Equal(Reference.Value.Metrics[s].Loss, actual.Metrics[s].Loss, 1e-6);
    }

    // The forms' roundings are 2⁻⁸ (bfloat16) and 2⁻⁴ (E4M3) of single values, independent of each other, in the routed experts' part of the stream alone: losses are means over
    // hundreds of tokens. Measured over these ten steps: at most 4e-4 of the loss with bfloat16 both ways, 9e-4 with FP8; the first gradients 6e-5 and 5e-3 apart.
    [Theory]
    [InlineData("bf16", "bf16", 1, 2e-3)]
    [InlineData("fp8", "bf16", 2, 5e-3)]
    [InlineData("fp8", "fp32", 4, 5e-3)]
    public void Rows_that_travel_in_short_forms_train_nearly_the_same_model(string dispatch, string combine, int ranksPerNode, double bound)
    {
        var run = FromFile($$"""{"schedule": "dualpipe", "pipeline": 2, "experts": 4, "ranks_per_node": {{ranksPerNode}}, "dispatch": "{{dispatch}}", "combine": "{{combine}}"}""");
        var actual = SmallRun.Train(run, Steps);
        double furthest = 0;
        for (int s = 0; s < Steps; s++) furthest = Math.Max(furthest, Math.Abs(actual.Metrics[s].Loss / Reference.Value.Metrics[s].Loss - 1));
        Assert.True(furthest < bound, $"A loss is {furthest:E1} of itself away from the one with FP32.");
        Assert.True(GradientDistance.Of(Reference.Value.Gradients[0], actual.Gradients[0]) < 2e-2, "The first step's gradients differ by more than roundings.");

        // They do travel in these forms: the first loss, before any update, differs.
        Assert.NotEqual(Reference.Value.Metrics[0].Loss, actual.Metrics[0].Loss, 1e-9);
        Assert.True(actual.Metrics[^1].Loss < actual.Metrics[0].Loss);
    }

    private static Lazy<SmallRun.Result> Reference { get; } = new(() => SmallRun.Train(SmallRun.Of(null), Steps));

    // As a person would set it.
    private static RunConfig FromFile(string parallel)
    {
        var file = JsonNode.Parse(SmallRun.Of(null).ToJson())!.AsObject();
        file["parallel"] = JsonNode.Parse(parallel);
        return RunConfig.Parse(Encoding.UTF8.GetBytes(file.ToJsonString()), "run.json");
    }
}
