using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Batches;
using Hadal.Training.Layers;
using Hadal.Training.Model;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;

namespace Hadal.Training.Tests.Model;

/// <summary>However a model is cut into stages and their chunks are taken in turn, the numbers are those of the whole model taken at once.</summary>
public class StagePassTests
{
    private const int Length = 24;
    private static readonly LossScales _scales = new(2 * Length, 2, 0.3f, 1e-2f);

    [Theory]
    [InlineData("fp32", null)]
    [InlineData("fp32", "block")]
    [InlineData("bf16", "norms")]
    [InlineData("fp8", null)]
    [InlineData("fp8", "block")]
    [InlineData("fp8", "latent_up")]
    public void Stages_overlapped_chunks_and_deferred_weights_give_the_bits_of_the_whole_model(string precision, string? recomputed)
    {
        var options = new TrainingOptions { Precision = PrecisionPolicy.Find(precision)!, Recompute = recomputed is null ? [] : [new RecomputeRule { Parts = [recomputed] }] };
        var expected = Whole(options, out var expectedLosses);
        var actual = Cut(options, out var losses);
        Assert.Equal([expectedLosses.MainSum, .. expectedLosses.MtpSums, .. expectedLosses.BalanceSums], [losses.MainSum, .. losses.MtpSums, .. losses.BalanceSums]);
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        Assert.All(expected, p => Assert.Equal(p.Value, actual[p.Key]));
        Assert.Contains(expected["model.layers.1.mlp.experts.0.gate_proj.weight"].Concat(expected["model.layers.1.mlp.experts.1.gate_proj.weight"]), v => v != 0);
    }

    private static Dictionary<string, float[]> Whole(TrainingOptions options, out BatchLosses losses)
    {
        using var backend = new CpuBackend(2);
        using var model = new TrainingModel(backend, TinyRun.Config, Length, options);
        WeightInitializer.Initialize(backend, model.Named, 3, 0.1);
        losses = model.CreateLosses();
        for (int m = 0; m < 2; m++) model.ForwardBackward(Batch(m), _scales, losses);
        return Gradients(backend, model.Parameters);
    }

    // Two stages on one rank, as the first rank of a bidirectional pipeline has them: the second overlaps its chunks, then takes inputs and weights apart.
    private static Dictionary<string, float[]> Cut(TrainingOptions options, out BatchLosses losses)
    {
        using var backend = new CpuBackend(2);
        using var parameters = new ParameterSet(backend);
        using var rotary = new RotaryTensors(backend, TinyRun.Config, Length);
        using var ahead = new Arena(backend);
        using var back = new Arena(backend);
        using var backToo = new Arena(backend);
        var embedding = new EmbeddingLayer(parameters, TinyRun.Config.VocabularySize, TinyRun.Config.HiddenSize);
        var first = new ModelStage(backend, new StageParameters(parameters), TinyRun.Config, new StagePart(0, 1, true, false), options, embedding, rotary);
        var second = new ModelStage(backend, new StageParameters(parameters), TinyRun.Config, new StagePart(1, 2, false, true), options, embedding, rotary);
        parameters.Commit();
        WeightInitializer.Initialize(backend, parameters.Named, 3, 0.1);
        losses = ModelStage.CreateLosses(TinyRun.Config);
        StageState[] one = [first.CreateState(ahead), first.CreateState(ahead)], two = [second.CreateState(ahead), second.CreateState(ahead)];
        for (int m = 0; m < 2; m++)
        {
            one[m].Prepare(Batch(m), _scales.BalanceWeight / _scales.Sequences, isTraining: true, TinyRun.Config.HiddenSize);
            two[m].Prepare(Batch(m), _scales.BalanceWeight / _scales.Sequences, isTraining: true, TinyRun.Config.HiddenSize);
            new ForwardPass(first).Run(one[m], ahead, _scales, losses);
            backend.Copy(one[m].Stream, two[m].Stream);
        }

        var forward = new ForwardPass(second);
        var backward = new BackwardPass(second);
        forward.Run(two[0], ahead, _scales, losses);
        forward.Begin(two[1], ahead, _scales, losses);
        backward.Begin(two[0], back, backToo, defersWeights: false);
        for (bool isAhead = true, isBack = true; isAhead || isBack;)
        {
            isBack = isBack && backward.Advance();
            isAhead = isAhead && forward.Advance();
        }

        BackwardOf(first, one[0], two[0], defers: false);
        backward.Run(two[1], back, defersWeights: true);
        backward.Weights(two[1], back);
        BackwardOf(first, one[1], two[1], defers: true);
        Array.ForEach([.. one, .. two], s => s.Dispose());
        foreach (var layer in first.ExpertLayers.Concat(second.ExpertLayers)) layer.Dispose();
        return Gradients(backend, parameters);

        void BackwardOf(ModelStage stage, StageState state, StageState behind, bool defers)
        {
            backend.Copy(behind.DStream, state.MakeDStream());
            var pass = new BackwardPass(stage);
            pass.Run(state, back, defers);
            if (defers) pass.Weights(state, back);
        }
    }

    private static PackedBatch Batch(int number)
    {
        var batch = new PackedBatch(1, Length);
        new TinyRun.Counting().Fill(1, number, batch);
        return batch;
    }

    private static Dictionary<string, float[]> Gradients(CpuBackend backend, ParameterSet parameters) => parameters.Named.ToDictionary(p => p.Name, p =>
    {
        var values = new float[p.Value.Gradient.Count];
        backend.Read(p.Value.Gradient, values);
        return values;
    });
}
