using System.Text;

namespace Hadal.Inference.Generation;

/// <summary>Passes text on except what a stop string might still grow from; ends at the first stop string that is complete.</summary>
/// <remarks>
/// Of several stop strings the one that is complete first counts; of those that end at the same place, the longest. What comes out does not depend on how
/// the text is cut into pieces.
/// </remarks>
internal sealed class StopText
{
    private readonly string[] _stops;
    private readonly StringBuilder _held = new();

    public StopText(IEnumerable<string> stops)
    {
        _stops = [.. stops];
        if (_stops.Any(string.IsNullOrEmpty)) throw new GenerationException("A stop string is empty; it would end every text at once.");
    }

    /// <summary>Whether a stop string has come up.</summary>
    public bool Stopped => Found is not null;

    /// <summary>The stop string that has come up.</summary>
    public string? Found { get; private set; }

    /// <summary>Takes the next piece and returns what is certain to belong to the text.</summary>
    public string Push(string piece)
    {
        if (Stopped) return "";
        if (_stops.Length == 0 || piece.Length == 0) return piece;
        _held.Append(piece);
        string held = _held.ToString();
        _held.Clear();
        if (FirstStop(held) is { } stop)
        {
            Found = stop.Text;
            return held[..stop.Start];
        }

        int kept = _stops.Max(s => Overlap(held, s));
        _held.Append(held, held.Length - kept, kept);
        return held[..^kept];
    }

    /// <summary>Ends the text: returns what was held back, unless a stop string has come up.</summary>
    public string Finish()
    {
        string held = Stopped ? "" : _held.ToString();
        _held.Clear();
        return held;
    }

    private (int Start, string Text)? FirstStop(string text)
    {
        (int Start, string Text)? first = null;
        int firstEnd = int.MaxValue;
        foreach (string stop in _stops)
        {
            int start = text.IndexOf(stop, StringComparison.Ordinal), end = start + stop.Length;
            if (start < 0 || end > firstEnd || end == firstEnd && start >= first!.Value.Start) continue;
            (first, firstEnd) = ((start, stop), end);
        }

        return first;
    }

    // Length of the longest end of the text with which the stop string begins.
    private static int Overlap(string text, string stop)
    {
        for (int length = Math.Min(text.Length, stop.Length - 1); length > 0; length--)
        {
            if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length))) return length;
        }

        return 0;
    }
}
