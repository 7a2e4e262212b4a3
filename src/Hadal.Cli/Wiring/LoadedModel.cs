using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Inference.Weights;
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

    /// <summary>Loads a folder, showing how far it has come unless it is loaded beside the first token.</summary>
    public static LoadedModel Load(CommandContext context, string folder, int threads, LoadOptions options)
    {
        RequireMemory(folder, options);
        return Load(context, folder, new CpuBackend(threads), options, ownsBackend: true);
    }

    /// <summary>Loads the same folder once more, for instance with weights in another format; what it computes on is shared.</summary>
    public LoadedModel LoadAgain(CommandContext context, LoadOptions options)
    {
        RequireMemory(Model.Folder, options);
        return Load(context, Model.Folder, Backend, options, ownsBackend: false);
    }

    /// <summary>How many bytes a model's weights take in memory if all are kept.</summary>
    public static long MemoryBytes(string folder, LoadOptions options)
    {
        using var backend = new CpuBackend(1);
        return InferenceModel.MemoryBytes(ModelFolder.Check(folder), backend, options);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Model.Dispose();
        if (_ownsBackend) Backend.Dispose();
    }

    private static LoadedModel Load(CommandContext context, string folder, CpuBackend backend, LoadOptions options, bool ownsBackend)
    {
        try
        {
            using var status = new StatusLine(context.Streams);
            var progress = options.Lazy ? null : new Report<LoadProgress>(p => status.Show(
                () => $"loading {folder}: {100.0 * p.LoadedBytes / Math.Max(1, p.TotalBytes):F0}% of {Figures.Bytes(p.TotalBytes)}"));
            return new LoadedModel(backend, InferenceModel.Load(folder, backend, options, progress, context.Cancellation), ownsBackend);
        }
        catch
        {
            if (ownsBackend) backend.Dispose();
            throw;
        }
    }

    private static void RequireMemory(string folder, LoadOptions options)
    {
        ModelFolder.Check(folder);
        if (options.Memory is not null) return;
        MemoryRoom.Require(MemoryBytes(folder, options), $"The model in {folder}", "with --memory BYTES experts that do not fit are read from the disk when they are needed");
    }
}
