using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Cli.Wiring;

/// <summary>A model in memory with the backend it computes on.</summary>
internal sealed class LoadedModel : IDisposable
{
    private LoadedModel(CpuBackend backend, InferenceModel model) => (Backend, Model) = (backend, model);

    public CpuBackend Backend { get; }

    public InferenceModel Model { get; }

    /// <summary>Loads a folder, showing how far it has come.</summary>
    public static LoadedModel Load(CommandContext context, string folder, int threads, bool mtp, WeightFormat? weights = null)
    {
        RequireMemory(ModelFolder.Check(folder), mtp, weights);
        var backend = new CpuBackend(threads);
        try
        {
            using var status = new StatusLine(context.Streams);
            var progress = new Report<LoadProgress>(p => status.Show(
                () => $"loading {folder}: {100.0 * p.LoadedBytes / Math.Max(1, p.TotalBytes):F0}% of {Figures.Bytes(p.TotalBytes)}"));
            return new LoadedModel(backend, InferenceModel.Load(folder, backend, new LoadOptions { Mtp = mtp, Weights = weights }, progress, context.Cancellation));
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }

    // The embedding stays in the file.
    private static void RequireMemory(string folder, bool mtp, WeightFormat? weights)
    {
        using var checkpoint = Checkpoint.Open(folder);
        double bytes = checkpoint.Catalog.Tensors
            .Where(t => t is { IsParameter: true, Role: not TensorRole.Embedding } && (t.Layer < checkpoint.Config.Layers || (mtp && checkpoint.MtpLayers > 0)))
            .Sum(t => t.Count * BytesPerWeight(weights, checkpoint.Get(t.Name).Type));
        MemoryRoom.Require(bytes, $"The model in {folder}", "a smaller model, or a machine with more memory, is needed");
    }

    private static double BytesPerWeight(WeightFormat? weights, DType stored) => (weights, stored) switch
    {
        (WeightFormat.FourBit, _) => 0.5625,
        (WeightFormat.Fp8 or WeightFormat.Fp8W8A8 or WeightFormat.EightBit, _) => 1.03,
        (WeightFormat.BF16, _) => 2,
        (null, DType.F8E4M3) => 1.03,
        (null, DType.BF16) => 2,
        _ => 4,
    };

    public void Dispose()
    {
        Model.Dispose();
        Backend.Dispose();
    }
}
