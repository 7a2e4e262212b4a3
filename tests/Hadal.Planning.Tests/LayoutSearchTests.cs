using Hadal.Model.Configuration;
using Hadal.Planning.Plans;
using Hadal.Planning.Search;

namespace Hadal.Planning.Tests;

public class LayoutSearchTests
{
    [Fact]
    public void Proposals_fit_and_are_in_the_order_of_their_steps_and_the_others_fall_for_reasons()
    {
        var plan = PlanPresets.V3H800 with { Layout = PlanPresets.V3H800.Layout with { Devices = 256 }, BatchSequences = 1920, Cluster = PlanPresets.V3H800.Cluster with { MemoryBytes = 180e9 } };
        var proposal = LayoutSearch.Propose(plan, 8, TestContext.Current.CancellationToken);
        Assert.Equal(8, proposal.Best.Count);
        Assert.True(proposal.Fitting >= 8);
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
