using System.Text.Json;
using CsCheck;
using Hadal.Model.Configuration;
using Hadal.Model.Routing;

namespace Hadal.Model.Tests.Routing;

public class ReferenceRouterTests
{
    private static readonly JsonElement _golden = GoldenData.Json("routing_unit.json");
    private static readonly GoldenTensors _tensors = GoldenData.Tensors("routing_unit.safetensors");

    public static TheoryData<string> Cases => new(_golden.EnumerateObject().Select(c => c.Name));

    /// <summary>The golden file measures 6e-6 at most between its FP32 weights and FP64 (weights up to 16); everywhere else 2e-7.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Choices_and_weights_equal_the_golden_ones(string name)
    {
        var golden = _golden.GetProperty(name);
        var rule = RouterRule.From(Config(golden));
        float[] x = _tensors.F32($"{name}/x"), gate = _tensors.F32($"{name}/gate_weight"), weights = _tensors.F32($"{name}/weights");
        float[] bias = rule.HasBias ? _tensors.F32($"{name}/e_score_correction_bias") : [];
        int[] experts = _tensors.I32($"{name}/experts");
        int tokens = golden.GetProperty("tokens").GetInt32(), width = x.Length / tokens, k = rule.ExpertsPerToken;
        double tolerance = golden.GetProperty("max_abs_official_vs_float64").GetDouble() * 1.5;

        var logits = new float[rule.Experts];
        var chosen = new int[k];
        var weighed = new float[k];
        for (int t = 0; t < tokens; t++)
        {
            ReferenceRouter.Logits(x.AsSpan(t * width, width), gate, logits);
            ReferenceRouter.Route(rule, logits, bias, chosen, weighed);
            Assert.Equal(experts.AsSpan(t * k, k).ToArray().Order(), chosen.Order());
            for (int i = 0; i < k; i++)
            {
                int place = experts.AsSpan(t * k, k).IndexOf(chosen[i]);
                Assert.Equal(weights[t * k + place], weighed[i], tolerance);
            }
        }
    }

    [Fact]
    public void Ties_go_to_the_lower_index()
    {
        var rule = Rule(ChoiceMethod.BiasCorrected, experts: 8, groups: 4, kept: 2, perToken: 3);
        var experts = new int[3];
        ReferenceRouter.Route(rule, new float[8], new float[8], experts, new float[3]);
        Assert.Equal([0, 1, 2], experts);
    }

    [Fact]
    public void Groups_are_ranked_by_their_two_best_with_a_bias_and_by_their_best_without()
    {
        // Group 0 has the best single expert, group 1 the best pair.
        float[] logits = [3f, -9f, 1.5f, 1.5f];
        var experts = new int[1];
        ReferenceRouter.Route(Rule(ChoiceMethod.BiasCorrected, 4, 2, 1, 1), logits, new float[4], experts, new float[1]);
        Assert.Equal([2], experts);
        ReferenceRouter.Route(Rule(ChoiceMethod.GroupLimitedGreedy, 4, 2, 1, 1), logits, [], experts, new float[1]);
        Assert.Equal([0], experts);
        ReferenceRouter.Route(Rule(ChoiceMethod.Greedy, 4, 2, 1, 1), [1, 2, 0, 3], [], experts, new float[1]);
        Assert.Equal([3], experts);
    }

    [Fact]
    public void Excluded_groups_lose_to_negative_choice_scores()
    {
        float[] bias = [-3, -3, -2, -2];
        var experts = new int[2];
        ReferenceRouter.Route(Rule(ChoiceMethod.BiasCorrected, 4, 2, 1, 2), [0, 0, 0, 0], bias, experts, new float[2]);
        Assert.Equal([2, 3], experts);
    }

    [Fact]
    public void The_bias_decides_but_never_weighs()
    {
        var rule = Rule(ChoiceMethod.BiasCorrected, 4, 1, 1, 2) with { Scale = 2.5 };
        var experts = new int[2];
        var weights = new float[2];
        ReferenceRouter.Route(rule, [0, 5, 0, 0], [10, -10, 9, 0], experts, weights);
        Assert.Equal([0, 2], experts);
        Assert.Equal([1.25f, 1.25f], weights);
    }

    [Fact]
    public void Normalised_weights_sum_to_the_scale_and_choices_stay_in_the_kept_groups()
    {
        var rule = Rule(ChoiceMethod.BiasCorrected, experts: 32, groups: 8, kept: 3, perToken: 6) with { Scale = 2.5 };
        Gen.Select(Gen.Float[-8, 8].Array[32], Gen.Float[-2, 2].Array[32]).Sample((logits, bias) =>
        {
            var experts = new int[6];
            var weights = new float[6];
            ReferenceRouter.Route(rule, logits, bias, experts, weights);
            return Math.Abs(weights.Sum() - 2.5f) < 1e-5f && experts.Distinct().Count() == 6 && experts.Select(e => e / 4).Distinct().Count() <= 3;
        }, iter: 500);
    }

    /// <summary>Logits that are not numbers must not lead outside the arrays; what is chosen is then without meaning.</summary>
    [Fact]
    public void Logits_that_are_not_numbers_still_choose_distinct_experts()
    {
        var rule = Rule(ChoiceMethod.BiasCorrected, 8, 4, 2, 4);
        float[] logits = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.NaN, float.NaN, 0, 1, float.NaN];
        var experts = new int[4];
        ReferenceRouter.Route(rule, logits, new float[8], experts, new float[4]);
        Assert.Equal(4, experts.Distinct().Count());
        Assert.All(experts, e => Assert.InRange(e, 0, 7));
    }

    private static RouterRule Rule(ChoiceMethod choice, int experts, int groups, int kept, int perToken) => RouterRule.From(new ModelConfig
    {
        Choice = choice,
        RoutedExperts = experts,
        Groups = groups,
        KeptGroups = kept,
        ExpertsPerToken = perToken,
        GateScale = 1,
    });

    private static ModelConfig Config(JsonElement golden)
    {
        string text = $$"""{ "model_type": "deepseek_v3", {{golden.GetRawText()[1..]}}""";
        return ModelConfig.Parse(System.Text.Encoding.UTF8.GetBytes(text));
    }
}
