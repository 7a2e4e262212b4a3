using System.Text;
using System.Text.Json;

namespace Hadal.Training.Metrics;

/// <summary><c>metrics.jsonl</c>: one JSON object a step, appended and flushed, so that a run that dies keeps what it measured.</summary>
/// <remarks>Lines that the disk has no room for wait in memory and are written with the next one: a disk that is full for a while stops no run.</remarks>
public sealed class MetricsLog : IDisposable
{
    private readonly Stream _stream;
    private readonly List<StepMetrics> _waiting = [];

    internal MetricsLog(Stream stream) => _stream = stream;

    /// <summary>Opens the log for a run that goes on behind a step; later lines and a torn last line are cut off.</summary>
    /// <param name="path">The file; made if it is missing.</param>
    /// <param name="lastStep">The last step that is kept; 0 starts afresh.</param>
    /// <returns>The log.</returns>
    public static MetricsLog Open(string path, int lastStep)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        try
        {
            var log = new MetricsLog(stream);
            log.CutBehind(lastStep);
            return log;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads a log. Lines that are no step (a torn last line) are left out.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The steps in the order of the file.</returns>
    public static IReadOnlyList<StepMetrics> Read(string path)
    {
        var steps = new List<StepMetrics>();

        // The run may be writing, and may cut off what it goes back behind.
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        while (reader.ReadLine() is { } line)
        {
            if (TryParse(Encoding.UTF8.GetBytes(line)) is { } step) steps.Add(step);
        }

        return steps;
    }

    /// <summary>Adds a step.</summary>
    /// <param name="metrics">What it measured.</param>
    /// <returns>Null; or why it cannot be written at the moment. It waits then.</returns>
    public string? Append(StepMetrics metrics)
    {
        _waiting.Add(metrics);
        try
        {
            WriteWaiting();
            return null;
        }
        catch (IOException e)
        {
            return e.Message.TrimEnd('.');
        }
    }

    /// <summary>Writes what waits.</summary>
    /// <exception cref="IOException">There is still no room.</exception>
    public void WriteWaiting()
    {
        if (_waiting.Count == 0) return;
        using var lines = new MemoryStream();
        foreach (var step in _waiting)
        {
            JsonSerializer.Serialize(lines, step, StepMetricsJson.Default.StepMetrics);
            lines.WriteByte((byte)'\n');
        }

        long end = _stream.Position;
        try
        {
            _stream.Write(lines.GetBuffer(), 0, (int)lines.Length);
            _stream.Flush();
        }
        catch (IOException)
        {
            // What part of them found room would be a torn line in the middle.
            _stream.SetLength(end);
            _stream.Seek(end, SeekOrigin.Begin);
            throw;
        }

        _waiting.Clear();
    }

    /// <summary>Cuts off what is behind a step, for a run that went back to it.</summary>
    internal void CutBehind(int lastStep)
    {
        _waiting.RemoveAll(m => m.Step > lastStep);
        _stream.Seek(0, SeekOrigin.Begin);
        _stream.SetLength(KeptLength(_stream, lastStep));
        _stream.Seek(0, SeekOrigin.End);
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private static long KeptLength(Stream stream, int lastStep)
    {
        long kept = 0;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        for (int start = 0; start < bytes.Length;)
        {
            int length = bytes.AsSpan(start).IndexOf((byte)'\n');
            if (length < 0) break;
            if (TryParse(bytes.AsSpan(start, length)) is not { } step || step.Step > lastStep) break;
            start += length + 1;
            kept = start;
        }

        return kept;
    }

    /// <summary>A line as a step; null if it is none.</summary>
    internal static StepMetrics? TryParse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, StepMetricsJson.Default.StepMetrics);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
