namespace Hadal.Inference.Constraints.Automata;

/// <summary>One of many fixed texts. States: bytes read, and the stretch of the sorted texts that begin so (first, and one more than the last).</summary>
internal sealed class TextSetTerminal : Terminal
{
    private readonly byte[][] _texts;

    internal TextSetTerminal(IEnumerable<byte[]> texts)
    {
        List<byte[]> sorted = [.. texts];
        sorted.Sort((a, b) => a.AsSpan().SequenceCompareTo(b));
        List<byte[]> distinct = new(sorted.Count);
        foreach (byte[] text in sorted)
        {
            if (distinct.Count == 0 || !distinct[^1].AsSpan().SequenceEqual(text)) distinct.Add(text);
        }

        _texts = [.. distinct];
        if (_texts.Length == 0) MinNesting = int.MaxValue;
    }

    internal override TerminalState Start => Pack(0, 0, _texts.Length);

    internal override bool Step(ref TerminalState state, byte value)
    {
        var (place, first, end) = (state.State, (int)(state.Data & int.MaxValue), (int)(state.Data >> 32));
        int from = Bound(first, end, place, value), to = Bound(from, end, place, value + 1);
        if (from == to) return false;
        state = Pack(place + 1, from, to);
        return true;
    }

    internal override bool CanEnd(TerminalState state) => _texts[(int)(state.Data & int.MaxValue)].Length == state.State;

    internal override bool CanContinue(TerminalState state) => _texts[(int)(state.Data >> 32) - 1].Length > state.State;

    private static TerminalState Pack(int place, int first, int end) => new(place, (uint)first | (long)end << 32);

    /// <summary>The first text of a stretch whose byte at a place is at least a value; texts that end there count as less than all.</summary>
    private int Bound(int low, int high, int place, int value)
    {
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            byte[] text = _texts[middle];
            if (text.Length <= place || text[place] < value) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
