using System.Diagnostics;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Experts;

/// <summary>How fast the disk delivers pieces of a checkpoint when nothing else is done: the limit for a model larger than memory.</summary>
/// <remarks>
/// Pieces at random places, several at once, past the file cache where the system can do that, into memory in large pages: as experts are read. A disk that others share changes
/// from second to second, so measure in turns with what is compared, and often: <see cref="BytesPerSecond"/> is the mean over all turns.
/// </remarks>
public sealed class ReadRateMeasurement : IDisposable
{
    private readonly StreamedFile _file;
    private readonly Storage _room;
    private readonly long _piece, _places;
    private readonly Random[] _random;
    private long _bytes;
    private double _seconds;

    /// <summary>Prepares a measurement.</summary>
    /// <param name="folder">A checkpoint's folder, whose largest file is read, or a file.</param>
    /// <param name="backend">Where the memory comes from.</param>
    /// <param name="pieceBytes">Bytes of a piece: those of an expert.</param>
    /// <param name="readers">Reads under way at once.</param>
    /// <exception cref="CheckpointException">There is no file with weights, or it cannot be read.</exception>
    public ReadRateMeasurement(string folder, IBackend backend, long pieceBytes, int readers)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentOutOfRangeException.ThrowIfLessThan(pieceBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(readers, 1);
        var largest = File.Exists(folder) ? new FileInfo(folder) : new DirectoryInfo(folder).EnumerateFiles("*.safetensors").MaxBy(f => f.Length)
            ?? throw new CheckpointException(folder, null, "the folder has no safetensors file to read");
        const long block = StreamedFile.Block;
        _piece = (pieceBytes + block - 1) / block * block;
        _places = Math.Max(1, (largest.Length - _piece) / block);
        _random = [.. Enumerable.Range(0, readers).Select(r => new Random(r))];
        try
        {
            _file = StreamedFile.Open(largest.FullName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(largest.FullName, e);
        }

        _room = backend.CreateStorage(Math.Max(readers * _piece, 1 << 20));
    }

    /// <summary>Bytes per second over all turns; 0 before the first.</summary>
    public double BytesPerSecond => _seconds > 0 ? _bytes / _seconds : 0;

    /// <summary>Reads for a while.</summary>
    /// <param name="seconds">How long.</param>
    /// <param name="cancellation">Stops between two pieces.</param>
    /// <exception cref="CheckpointException">The file cannot be read any more.</exception>
    public void Run(double seconds, CancellationToken cancellation = default)
    {
        long bytes = 0, start = Stopwatch.GetTimestamp();
        Exception? failure = null;
        // Threads of its own: a pool would begin with as many as there are processors, and fewer reads would be under way.
        Thread[] threads = [.. Enumerable.Range(0, _random.Length).Select(reader => new Thread(() =>
        {
            try
            {
                while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && !cancellation.IsCancellationRequested)
                    Interlocked.Add(ref bytes, _file.Read(_random[reader].NextInt64(_places) * StreamedFile.Block, _piece, _room, reader * _piece));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
        })
        { IsBackground = true, Name = $"hadal read rate {reader}" })];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        cancellation.ThrowIfCancellationRequested();
        if (failure is not null) throw Unreadable(_file.Path, failure);
        _bytes += bytes;
        _seconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        _room.Dispose();
    }

    private static CheckpointException Unreadable(string path, Exception e) => new(path, null, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
}
