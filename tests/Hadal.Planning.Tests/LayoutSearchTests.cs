using Hadal.Model.Configuration;
using Hadal.Planning.Plans;
using Hadal.Planning.Search;
using Hadal.Planning.Training;

namespace Hadal.Planning.Tests;

public class LayoutSearchTests
{
    [Fact]
    public void The_published_layout_is_among_the_fastest_of_its_devices()
    {
        var proposal = LayoutSearch.Propose(PlanPresets.V3H800, 8, TestContext.Current.CancellationToken);
        Assert.Equal(8, proposal.Best.Count);
        Assert.Contains(proposal.Best, f => f.Plan.Layout is { Schedule: "dualpipe", Pipeline: 16, Experts: 64, Recompute: Recomputation.UpProjections });
        Assert.True(proposal.Best[0].StepSeconds > 0.99 * TrainingPlanner.Forecast(PlanPresets.V3H800).StepSeconds);
        Assert.Equal(proposal.Best.OrderBy(f => f.StepSeconds), proposal.Best);
        Assert.All(proposal.Best, f => Assert.True(f.Fits));
        Assert.Equal("too little memory", proposal.Fallen[0].Reason);
        Assert.All(proposal.Fallen, f => Assert.False(string.IsNullOrEmpty(f.Sentence) || f.Count < 1));
    }

    [Fact]
    public void A_small_model_on_one_node_wants_no_long_pipeline()
    {
        var model = new ModelConfig { Layers = 16, HiddenSize = 1024, VocabularySize = 32768, RoutedExperts = 32, Groups = 1, KeptGroups = 1, Heads = 16, DenseLayers = 1, DenseWidth = 4096, ExpertWidth = 512, QueryLatentRank = null };
        var proposal = LayoutSearch.Propose(new TrainingPlan { Model = model, Layout = new TrainingLayout { Devices = 8, Pipeline = 1, Experts = 8 }, BatchSequences = 512 }, 3, TestContext.Current.CancellationToken);
        Assert.True(proposal.Best[0].Plan.Layout.Pipeline == 1);
        Assert.True(proposal.Fitting > 10);
    }

    [Fact]
    public void A_model_that_fits_nowhere_has_no_proposal_but_reasons()
    {
        var proposal = LayoutSearch.Propose(PlanPresets.V3H800 with { Layout = new TrainingLayout { Devices = 16, Pipeline = 2, Experts = 8 }, BatchSequences = 256 }, 3, TestContext.Current.CancellationToken);
        Assert.Empty(proposal.Best);
        Assert.Contains(proposal.Fallen, f => f.Reason == "too little memory" && f.Sentence.Contains("would need", StringComparison.Ordinal));
    }

    [Fact]
    public void A_search_can_be_ended()
    {
        using var ended = new CancellationTokenSource();
        ended.Cancel();
        Assert.Throws<OperationCanceledException>(() => LayoutSearch.Propose(PlanPresets.V3H800, 1, ended.Token));
    }
}
