using System.Diagnostics;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Experts;

/// <summary>How fast the disk delivers pieces of a checkpoint when nothing else is done: the limit for a model larger than memory.</summary>
public static class ReadRateMeasurement
{
    /// <summary>Reads pieces at random places, several at once, past the file cache where the system can do that.</summary>
    /// <param name="folder">A checkpoint's folder, whose largest file is read, or a file.</param>
    /// <param name="backend">Where the memory comes from.</param>
    /// <param name="pieceBytes">Bytes of a piece: those of an expert.</param>
    /// <param name="readers">Reads under way at once.</param>
    /// <param name="seconds">How long to read.</param>
    /// <param name="cancellation">Stops the measurement.</param>
    /// <returns>Bytes per second.</returns>
    /// <exception cref="CheckpointException">There is no file with weights, or it cannot be read.</exception>
    public static double Measure(string folder, IBackend backend, long pieceBytes, int readers, double seconds, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentOutOfRangeException.ThrowIfLessThan(pieceBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(readers, 1);
        var largest = File.Exists(folder) ? new FileInfo(folder) : new DirectoryInfo(folder).EnumerateFiles("*.safetensors").MaxBy(f => f.Length)
            ?? throw new CheckpointException(folder, null, "the folder has no safetensors file to read");
        long block = StreamedFile.Block, piece = (pieceBytes + block - 1) / block * block, places = Math.Max(1, (largest.Length - piece) / block);
        try
        {
            using var file = StreamedFile.Open(largest.FullName);
            long bytes = 0, start = Stopwatch.GetTimestamp();
            Parallel.For(0, readers, new ParallelOptions { MaxDegreeOfParallelism = readers, CancellationToken = cancellation }, reader =>
            {
                using var room = backend.CreateStorage(Math.Max(piece, 1 << 20));
                var random = new Random(reader);
                while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && !cancellation.IsCancellationRequested)
                    Interlocked.Add(ref bytes, file.Read(random.NextInt64(places) * block, piece, room, 0));
            });
            cancellation.ThrowIfCancellationRequested();
            return bytes / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(largest.FullName, null, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }
}
