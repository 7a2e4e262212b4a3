using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Weights;

/// <summary>Weights that are loaded while the model runs already.</summary>
public class LazyLoadingTests
{
    private static readonly int[] _tokens = [5, 17, 200, 3, 88, 41, 5, 9];

    [Fact]
    public void A_model_that_is_loaded_meanwhile_has_the_bits_of_one_that_is_loaded_first()
    {
        using var tiny = TinyModel.Random();
        float[] expected = Run(tiny.Folder, new LoadOptions());
        Assert.Equal(expected, Run(tiny.Folder, new LoadOptions { Lazy = true }));
        Assert.Equal(expected, Run(tiny.Folder, new LoadOptions { Lazy = true, Memory = 1L << 30 }));
    }

    [Fact]
    public void A_step_waits_for_layers_and_stops_waiting_when_it_is_told_to()
    {
        using var gate = new ManualResetEventSlim();
        using var stop = new CancellationTokenSource();
        var loading = new OrderedLoading(3, part =>
        {
            if (part == 1) gate.Wait(TestContext.Current.CancellationToken);
        }, TestContext.Current.CancellationToken);
        loading.Start();
        loading.Require(0, TestContext.Current.CancellationToken);
        Assert.False(loading.IsLoaded(1));
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => loading.Require(1, stop.Token));
        gate.Set();
        loading.Require(2, TestContext.Current.CancellationToken);
        loading.Wait();
    }

    [Fact]
    public void What_goes_wrong_in_the_background_reaches_whoever_waits_in_its_own_words()
    {
        var loading = new OrderedLoading(3, part =>
        {
            if (part == 1) throw new CheckpointException("model.safetensors", "x", "tensor x is broken");
        }, TestContext.Current.CancellationToken);
        loading.Start();
        loading.Require(0, TestContext.Current.CancellationToken);
        for (int i = 0; i < 2; i++)
        {
            var error = Assert.Throws<CheckpointException>(() => loading.Require(2, TestContext.Current.CancellationToken));
            Assert.Contains("tensor x is broken", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_model_can_be_disposed_while_it_is_loaded()
    {
        using var tiny = TinyModel.Random(TinyModel.Config with { Layers = 6 });
        using var backend = new CpuBackend(2);
        for (int i = 0; i < 5; i++)
        {
            var model = InferenceModel.Load(tiny.Folder, backend, new LoadOptions { Lazy = true }, cancellation: TestContext.Current.CancellationToken);
            if (i % 2 == 1) _ = model.Layer(i, TestContext.Current.CancellationToken);
            model.Dispose();
        }
    }

    private static float[] Run(string folder, LoadOptions options)
    {
        using var backend = new CpuBackend(2);
        using var model = InferenceModel.Load(folder, backend, options, cancellation: TestContext.Current.CancellationToken);
        return [.. ModelTrace.Run(model, _tokens, cancellation: TestContext.Current.CancellationToken).Tensors["logits"].Values];
    }
}
