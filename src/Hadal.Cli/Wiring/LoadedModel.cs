using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Cli.Wiring;

/// <summary>A model in memory with the backend it computes on.</summary>
internal sealed class LoadedModel : IDisposable
{
    private LoadedModel(CpuBackend backend, InferenceModel model) => (Backend, Model) = (backend, model);

    public CpuBackend Backend { get; }

    public InferenceModel Model { get; }

    /// <summary>Loads a folder, showing how far it has come.</summary>
    public static LoadedModel Load(CommandContext context, string folder, int threads, bool mtp)
    {
        ModelFolder.Check(folder);
        var backend = new CpuBackend(threads);
        try
        {
            using var status = new StatusLine(context.Streams);
            var progress = new Report<LoadProgress>(p => status.Show(
                () => $"loading {folder}: {100.0 * p.LoadedBytes / Math.Max(1, p.TotalBytes):F0}% of {Figures.Bytes(p.TotalBytes)}"));
            return new LoadedModel(backend, InferenceModel.Load(folder, backend, new LoadOptions { Mtp = mtp }, progress, context.Cancellation));
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Model.Dispose();
        Backend.Dispose();
    }
}
