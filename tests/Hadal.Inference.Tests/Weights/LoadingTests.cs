using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Weights;

public class LoadingTests
{
    private static readonly int[] _tokens = [5, 17, 200, 3, 88, 41, 5, 9];

    [Fact]
    public void Progress_rises_to_all_bytes()
    {
        using var tiny = TinyModel.Random();
        using var backend = new CpuBackend(1);
        var seen = new List<LoadProgress>();
        using var model = InferenceModel.Load(tiny.Folder, backend, null, new Immediate(seen.Add), TestContext.Current.CancellationToken);
        Assert.Equal(seen.OrderBy(p => p.LoadedBytes), seen);
        Assert.Equal(seen[^1].TotalBytes, seen[^1].LoadedBytes);
        Assert.Contains(seen, p => p.Tensor == "model.layers.2.eh_proj.weight");
    }

    [Fact]
    public void Loading_can_be_stopped()
    {
        using var tiny = TinyModel.Random();
        using var backend = new CpuBackend(1);
        using var stop = new CancellationTokenSource();
        int seen = 0;
        var progress = new Immediate(_ =>
        {
            if (++seen == 10) stop.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => InferenceModel.Load(tiny.Folder, backend, null, progress, stop.Token));
        Assert.Equal(10, seen);
    }

    [Fact]
    public void A_model_without_mtp_module_says_so_when_drafts_are_wanted()
    {
        using var tiny = TinyModel.Random(TinyModel.Config with { MtpLayers = 0 });
        using var backend = new CpuBackend(1);
        using var model = tiny.Load(backend);
        Assert.False(model.HasMtp);
        var error = Assert.Throws<GenerationException>(model.RequireMtp);
        Assert.Contains("num_nextn_predict_layers is 0", error.Message, StringComparison.Ordinal);
        Assert.Contains(tiny.Folder, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_mtp_module_can_be_left_out()
    {
        using var tiny = TinyModel.Random();
        using var backend = new CpuBackend(1);
        using var with = tiny.Load(backend);
        using var without = InferenceModel.Load(tiny.Folder, backend, new LoadOptions { Mtp = false }, cancellation: TestContext.Current.CancellationToken);
        Assert.True(with.HasMtp);
        Assert.False(without.HasMtp);
        Assert.True(without.ByteLength < with.ByteLength);
        Assert.Contains("was not loaded", Assert.Throws<GenerationException>(without.RequireMtp).Message, StringComparison.Ordinal);
        Assert.True(Logits(without).SequenceEqual(Logits(with)));
    }

    public static TheoryData<ModelConfig> Layouts => new()
    {
        TinyModel.Config,
        TinyModel.Config with { QueryLatentRank = null, SharedExperts = 0, Yarn = new YarnScaling { Factor = 4, OriginalMaxPositions = 64, MScaleAllDimensions = 1 } },
        TinyModel.Config with { RopeWidth = 8, NopeWidth = 12, RoutedExperts = 0, MtpLayers = 0 },
    };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Rotary_rows_stored_in_halves_are_brought_side_by_side(ModelConfig config)
    {
        using var tiny = TinyModel.Random(config);
        using var halves = TinyModel.Of(config with { RopeInterleave = false }, spec => Halved(spec, config));
        using var backend = new CpuBackend(1);
        using var a = tiny.Load(backend);
        using var b = halves.Load(backend);
        Assert.True(Logits(a).SequenceEqual(Logits(b)));
    }

    [Fact]
    public void Both_forms_of_attention_agree_to_rounding_in_every_layout()
    {
        // FP32 rounding over two layers at logits of a few units: 1e-4, as in the golden tests.
        foreach (var row in Layouts)
        {
            using var tiny = TinyModel.Random(row.Data);
            using var backend = new CpuBackend(1);
            using var model = tiny.Load(backend);
            float[] expanded = Logits(model), absorbed = Logits(model, new ModelTraceOptions { PromptTokens = 1, PieceTokens = 3 });
            for (int i = 0; i < expanded.Length; i++) Assert.Equal(expanded[i], absorbed[i], 1e-4f);
        }
    }

    private static float[] Logits(InferenceModel model, ModelTraceOptions? options = null) => ModelTrace.Run(model, _tokens, options).Tensors["logits"].Values.ToArray();

    private static float[]? Halved(TensorSpec spec, ModelConfig config)
    {
        if (spec.Role is not (TensorRole.Query or TensorRole.QueryUp or TensorRole.LatentDown)) return null;
        float[] side = TinyModel.RandomValues(spec, 1), halves = (float[])side.Clone();
        int columns = (int)spec.Shape.Columns, rope = config.RopeWidth;
        int period = spec.Role == TensorRole.LatentDown ? config.CacheWidth : config.QueryHeadWidth;
        for (int start = period - rope; start < spec.Shape.Rows; start += period)
        {
            for (int i = 0; i < rope / 2; i++)
            {
                side.AsSpan((start + 2 * i) * columns, columns).CopyTo(halves.AsSpan((start + i) * columns));
                side.AsSpan((start + 2 * i + 1) * columns, columns).CopyTo(halves.AsSpan((start + rope / 2 + i) * columns));
            }
        }

        return halves;
    }

    private sealed class Immediate(Action<LoadProgress> report) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => report(value);
    }
}
