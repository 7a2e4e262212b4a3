using System.Text.Json;

namespace Hadal.Training.Metrics;

/// <summary>Appends lines to <c>metrics.jsonl</c>; each is handed to the operating system whole before <see cref="Write"/> returns.</summary>
public sealed class MetricsWriter : IDisposable
{
    private readonly FileStream _stream;
    private readonly MemoryStream _line = new();
    private readonly Utf8JsonWriter _json;

    private MetricsWriter(FileStream stream)
    {
        _stream = stream;
        _json = new Utf8JsonWriter(_line);
    }

    /// <summary>Starts a file anew; whatever was there is gone.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static MetricsWriter Create(string path) => new(Open(path, FileMode.Create));

    /// <summary>Goes on after <paramref name="lastStep"/>: lines of later steps, which a resumed run does again, and a cut-off last line are removed.</summary>
    /// <param name="path">The file; made if it is not there.</param>
    /// <param name="lastStep">Last step whose line stays.</param>
    /// <exception cref="InvalidDataException">A whole line before that is no metrics line.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static MetricsWriter Resume(string path, long lastStep)
    {
        FileStream stream = Open(path, FileMode.OpenOrCreate);
        try
        {
            long end = 0;
            foreach ((StepMetrics metrics, long lineEnd) in MetricsReader.ReadLines(stream, path))
            {
                if (metrics.Step > lastStep) break;
                end = lineEnd;
            }

            stream.SetLength(end);
            stream.Position = end;
            return new MetricsWriter(stream);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Appends one line.</summary>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Write(StepMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        _line.SetLength(0);
        _json.Reset(_line);
        JsonSerializer.Serialize(_json, metrics, MetricsJsonContext.Default.StepMetrics);
        _json.Flush();
        _line.WriteByte((byte)'\n');
        _stream.Write(_line.GetBuffer(), 0, (int)_line.Length);
        _stream.Flush();
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _json.Dispose();
        _line.Dispose();
        _stream.Dispose();
    }

    // Others may read along (a live view, a person's `tail -f`).
    private static FileStream Open(string path, FileMode mode) => new(path, mode, FileAccess.ReadWrite, FileShare.Read);
}
