using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Checkpoints;
using Hadal.Training.Parameters;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Optimization;

public sealed class FreezeTests : IDisposable
{
    private readonly CpuBackend _backend = new(1);

    public void Dispose() => _backend.Dispose();

    [Theory]
    [InlineData("lm_head.weight", "lm_head.weight", true)]
    [InlineData("lm_head", "lm_head.weight", false)]
    [InlineData("*", "lm_head.weight", true)]
    [InlineData("model.layers.*.mlp.experts.*", "model.layers.12.mlp.experts.3.up_proj.weight", true)]
    [InlineData("model.layers.*.mlp.experts.*", "model.layers.12.mlp.shared_experts.up_proj.weight", false)]
    [InlineData("*.gate.*", "model.layers.1.mlp.gate.weight", true)]
    [InlineData("*a*a", "aa", true)]
    [InlineData("*a*a", "a", false)]
    [InlineData("ab*ba", "aba", false)]
    [InlineData("a**b", "ab", true)]
    public void A_star_stands_for_any_characters(string pattern, string name, bool fits) => Assert.Equal(fits, FrozenParameters.Matches(pattern, name));

    [Theory]
    [InlineData("model.layers.*.mlp.experts.*")]
    [InlineData("model.layers.1.mlp.experts.3.*", "*_layernorm.weight")]
    [InlineData("*.up_proj.weight", "*.e_score_correction_bias", "model.embed_tokens.weight")]
    public void What_is_frozen_stays_bit_for_bit_and_everything_else_moves(params string[] patterns)
    {
        using var trainer = new Trainer(TinyRun.Run with { Freeze = patterns }, TinyRun.Config, _backend, new TinyRun.Counting());
        var before = Snapshot(trainer);
        for (int step = 1; step <= 3; step++) trainer.Step(step);
        var after = Snapshot(trainer);
        int frozen = 0;
        foreach (string name in before.Keys)
        {
            if (patterns.Any(p => FrozenParameters.Matches(p, name.Replace("first_moment/", "", StringComparison.Ordinal).Replace("second_moment/", "", StringComparison.Ordinal))))
            {
                frozen++;
                Assert.True(before[name].AsSpan().SequenceEqual(after[name]), name);
            }
            else
            {
                Assert.False(before[name].AsSpan().SequenceEqual(after[name]), name);
            }
        }

        Assert.True(frozen > 0);
    }

    [Fact]
    public void The_gradient_norm_is_that_of_what_is_trained()
    {
        using var all = new Trainer(TinyRun.Run, TinyRun.Config, _backend, new TinyRun.Counting());
        using var head = new Trainer(TinyRun.Run with { Freeze = ["model.*"] }, TinyRun.Config, _backend, new TinyRun.Counting());
        double whole = all.Step(1).GradNorm, part = head.Step(1).GradNorm;
        Assert.InRange(part, 1e-6, whole * 0.999);
    }

    [Fact]
    public void A_pattern_without_a_parameter_and_patterns_that_leave_none_are_refused()
    {
        Assert.Contains("no parameter is called model.layers.7.*", Refusal("lm_head.weight", "model.layers.7.*"), StringComparison.Ordinal);
        Assert.Contains("leave nothing to train", Refusal("*"), StringComparison.Ordinal);

        string Refusal(params string[] patterns) =>
            Assert.Throws<ConfigException>(() => new Trainer(TinyRun.Run with { Freeze = patterns }, TinyRun.Config, _backend, new TinyRun.Counting())).Message;
    }

    private Dictionary<string, float[]> Snapshot(Trainer trainer)
    {
        var all = trainer.Model.Parameters.Named.ToDictionary(p => p.Name, p => Read(p.Value.Weight));
        foreach (var (name, values) in TrainingCheckpoint.Moments(trainer.Model)) all.Add(name, Read(values));
        foreach (var experts in trainer.Model.ExpertLayers) all.Add(experts.BiasName, experts.Bias.ToArray());
        return all;
    }

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Count];
        _backend.Read(tensor, values);
        return values;
    }
}
