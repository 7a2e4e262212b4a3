namespace Hadal.Training.Metrics;

/// <summary>Reads <c>metrics.jsonl</c> while another process writes it: what is new at each look, whole lines only.</summary>
/// <param name="path">The file; need not be there yet.</param>
public sealed class MetricsFollower(string path)
{
    private byte[] _torn = [];
    private long _position;
    private int _lastStep;

    /// <summary>The steps since the last look. A run that went back (to a checkpoint, or to its beginning) shows its steps again from there.</summary>
    /// <returns>Steps in the order of the file; none if nothing is new.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IReadOnlyList<StepMetrics> Look()
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }

        using (stream)
        {
            // Shorter than before: what was read last is no longer there.
            bool cut = stream.Length < _position;
            if (cut)
            {
                _position = 0;
                _torn = [];
            }

            stream.Seek(_position, SeekOrigin.Begin);
            var bytes = new byte[stream.Length - _position];
            int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            _position += read;
            var steps = Lines(bytes.AsSpan(0, read));
            if (cut) steps.RemoveAll(s => s.Step < Math.Min(_lastStep, steps.Count == 0 ? 0 : steps[^1].Step));
            if (steps.Count > 0) _lastStep = steps[^1].Step;
            return steps;
        }
    }

    private List<StepMetrics> Lines(ReadOnlySpan<byte> bytes)
    {
        var steps = new List<StepMetrics>();
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            if (MetricsLog.TryParse([.. _torn, .. bytes[..end]]) is { } step) steps.Add(step);
            _torn = [];
            bytes = bytes[(end + 1)..];
        }

        _torn = [.. _torn, .. bytes];
        return steps;
    }
}
