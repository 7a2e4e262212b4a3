using System.Text.Json;

namespace Hadal.Training.Metrics;

/// <summary>Reads <c>metrics.jsonl</c>.</summary>
public static class MetricsReader
{
    /// <summary>Every step in the file, in order. A last line that was cut off (a run killed while it wrote) is left out.</summary>
    /// <exception cref="InvalidDataException">A line that was written to its end is no metrics line; the message names it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<StepMetrics> Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        foreach (StepMetrics metrics in Read(stream, path)) yield return metrics;
    }

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="stream">The lines.</param>
    /// <param name="name">What to call them in messages.</param>
    public static IEnumerable<StepMetrics> Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        foreach ((StepMetrics metrics, _) in ReadLines(stream, name)) yield return metrics;
    }

    /// <summary>Each whole line with the offset just past its end.</summary>
    internal static IEnumerable<(StepMetrics Metrics, long End)> ReadLines(Stream stream, string path)
    {
        byte[] buffer = new byte[1 << 14];
        int held = 0, number = 0;
        long offset = 0;
        while (true)
        {
            int start = 0, length;
            while ((length = buffer.AsSpan(start, held - start).IndexOf((byte)'\n')) >= 0)
            {
                StepMetrics metrics = Parse(buffer.AsSpan(start, length), path, ++number);
                start += length + 1;
                yield return (metrics, offset + start);
            }

            buffer.AsSpan(start, held - start).CopyTo(buffer);
            held -= start;
            offset += start;
            if (held == buffer.Length) Array.Resize(ref buffer, checked(2 * buffer.Length));
            int read = stream.Read(buffer, held, buffer.Length - held);
            if (read == 0) yield break;
            held += read;
        }
    }

    private static StepMetrics Parse(ReadOnlySpan<byte> line, string path, int number)
    {
        try
        {
            return JsonSerializer.Deserialize(line, MetricsJsonContext.Default.StepMetrics)
                ?? throw new InvalidDataException($"{path}:{number} is null, not a metrics line.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}:{number} is not a metrics line ({e.Message.TrimEnd('.')}).", e);
        }
    }
}
