using System.Runtime.InteropServices;
using Hadal.Inference.Weights;

namespace Hadal.Inference.Measurement;

/// <summary>A model's logits for a text, kept in a temporary file, so that another model can be compared with it when both do not fit into memory together.</summary>
public sealed class RecordedLogits : ILogitSource, IDisposable
{
    private readonly FileStream _file;

    private RecordedLogits(FileStream file, int vocabulary) => (_file, Vocabulary) = (file, vocabulary);

    /// <summary>Columns of a row: the model's vocabulary.</summary>
    public int Vocabulary { get; }

    /// <summary>Bytes of the file.</summary>
    public long ByteLength => _file.Length;

    internal string FileName => _file.Name;

    /// <summary>Runs a model over a text.</summary>
    /// <param name="model">The model.</param>
    /// <param name="text">The text.</param>
    /// <param name="progress">Told how many tokens are done; or null.</param>
    /// <param name="cancellation">Stops between two pieces; the file goes away.</param>
    /// <returns>The logits, owned by the caller: the file goes away with them.</returns>
    /// <exception cref="IOException">The temporary folder has no room for them.</exception>
    /// <exception cref="GenerationException">A window is longer than the model's context, or a token is not in its vocabulary.</exception>
    public static RecordedLogits Record(InferenceModel model, TextWindows text, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(text);
        int vocabulary = model.Config.VocabularySize;
        string folder = Path.GetTempPath();
        long bytes = (long)text.Predictions * vocabulary * sizeof(float), free = new DriveInfo(folder).AvailableFreeSpace;
        if (bytes > free) throw new IOException($"Logits of {text.Predictions} tokens take {bytes} bytes, but {folder} has {free} free; use fewer tokens.");
        var file = new FileStream(
            Path.Combine(folder, $"hadal-logits-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        try
        {
            using var source = new ModelLogits(model, text);
            var logits = new float[Math.Min(ModelLogits.PieceRows(vocabulary), text.WindowTokens) * vocabulary];
            foreach (var (window, first, rows) in QuantizationReport.Pieces(text, vocabulary))
            {
                cancellation.ThrowIfCancellationRequested();
                var piece = logits.AsSpan(0, rows * vocabulary);
                source.Read(window, first, piece, cancellation);
                file.Write(MemoryMarshal.AsBytes(piece));
                progress?.Report(window * text.WindowTokens + first + rows);
            }

            return new RecordedLogits(file, vocabulary);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    void ILogitSource.Read(int window, int first, Span<float> logits, CancellationToken cancellation)
    {
        if (window == 0 && first == 0) _file.Position = 0;
        _file.ReadExactly(MemoryMarshal.AsBytes(logits));
    }

    /// <summary>Removes the file.</summary>
    public void Dispose() => _file.Dispose();
}
