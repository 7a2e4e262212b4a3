using System.Text;
using System.Text.Json;

namespace Hadal.Training.Metrics;

/// <summary><c>metrics.jsonl</c>: one JSON object a step, appended and flushed, so that a run that dies keeps what it measured.</summary>
public sealed class MetricsLog : IDisposable
{
    private readonly FileStream _stream;

    private MetricsLog(FileStream stream) => _stream = stream;

    /// <summary>Opens the log for a run that goes on behind a step; later lines and a torn last line are cut off.</summary>
    /// <param name="path">The file; made if it is missing.</param>
    /// <param name="lastStep">The last step that is kept; 0 starts afresh.</param>
    /// <returns>The log.</returns>
    public static MetricsLog Open(string path, int lastStep)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
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
    public void Append(StepMetrics metrics)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(metrics, StepMetricsJson.Default.StepMetrics);
        _stream.Write([.. json, (byte)'\n']);
        _stream.Flush();
    }

    /// <summary>Cuts off what is behind a step, for a run that went back to it.</summary>
    internal void CutBehind(int lastStep)
    {
        _stream.Seek(0, SeekOrigin.Begin);
        _stream.SetLength(KeptLength(_stream, lastStep));
        _stream.Seek(0, SeekOrigin.End);
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private static long KeptLength(FileStream stream, int lastStep)
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
