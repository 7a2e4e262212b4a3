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
    private readonly bool _ownsBackend;
    private bool _disposed;

    private LoadedModel(CpuBackend backend, InferenceModel model, bool ownsBackend) => (Backend, Model, _ownsBackend) = (backend, model, ownsBackend);

    public CpuBackend Backend { get; }

    public InferenceModel Model { get; }

    /// <summary>Loads a folder, showing how far it has come.</summary>
    public static LoadedModel Load(CommandContext context, string folder, int threads, bool mtp, WeightFormat? weights = null)
    {
        RequireMemory(folder, mtp, weights);
        return Load(context, folder, new CpuBackend(threads), mtp, weights, ownsBackend: true);
    }

    /// <summary>Loads the same folder once more, with weights in another format; what it computes on is shared.</summary>
    public LoadedModel LoadAgain(CommandContext context, WeightFormat? weights)
    {
        RequireMemory(Model.Folder, mtp: false, weights);
        return Load(context, Model.Folder, Backend, mtp: false, weights, ownsBackend: false);
    }

    /// <summary>About how many bytes a model's weights take in memory. The embedding stays in the file.</summary>
    public static double MemoryBytes(string folder, bool mtp, WeightFormat? weights)
    {
        using var checkpoint = Checkpoint.Open(ModelFolder.Check(folder));
        return checkpoint.Catalog.Tensors
            .Where(t => t is { IsParameter: true, Role: not TensorRole.Embedding } && (t.Layer < checkpoint.Config.Layers || (mtp && checkpoint.MtpLayers > 0)))
            .Sum(t => t.Count * BytesPerWeight(weights, checkpoint.Get(t.Name).Type));
    }

    private static LoadedModel Load(CommandContext context, string folder, CpuBackend backend, bool mtp, WeightFormat? weights, bool ownsBackend)
    {
        try
        {
            using var status = new StatusLine(context.Streams);
            var progress = new Report<LoadProgress>(p => status.Show(
                () => $"loading {folder}: {100.0 * p.LoadedBytes / Math.Max(1, p.TotalBytes):F0}% of {Figures.Bytes(p.TotalBytes)}"));
            return new LoadedModel(backend, InferenceModel.Load(folder, backend, new LoadOptions { Mtp = mtp, Weights = weights }, progress, context.Cancellation), ownsBackend);
        }
        catch
        {
            if (ownsBackend) backend.Dispose();
            throw;
        }
    }

    private static void RequireMemory(string folder, bool mtp, WeightFormat? weights) =>
        MemoryRoom.Require(MemoryBytes(folder, mtp, weights), $"The model in {folder}", "a smaller model, or a machine with more memory, is needed");

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
        if (_disposed) return;
        _disposed = true;
        Model.Dispose();
        if (_ownsBackend) Backend.Dispose();
    }
}
