using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Hadal.Data.Quality;

/// <summary>Counts spans of text (lines, paragraphs) that repeat an earlier one among the last 2^17 different ones, so that memory is bounded. Not thread-safe.</summary>
internal sealed class RepeatedSpans
{
    private const int Most = 1 << 17;
    private ulong[] _keys = new ulong[64];
    private int _used;

    public long Spans { get; private set; }

    public long Repeats { get; private set; }

    public long RepeatedCharacters { get; private set; }

    public double RepeatShare => Spans == 0 ? 0 : (double)Repeats / Spans;

    public void Reset()
    {
        if (_used > 0) Array.Clear(_keys);
        if (_keys.Length > 1 << 12) _keys = new ulong[64];
        (_used, Spans, Repeats, RepeatedCharacters) = (0, 0, 0, 0);
    }

    /// <summary>Counts a span without looking for repeats.</summary>
    public void Count() => Spans++;

    public void Add(ReadOnlySpan<char> span)
    {
        Spans++;
        if (_used * 2 >= _keys.Length) Grow();
        ulong key = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(span)) | 1;
        int slot = Slot(key);
        if (_keys[slot] == key)
        {
            Repeats++;
            RepeatedCharacters += span.Length;
        }
        else
        {
            _keys[slot] = key;
            _used++;
        }
    }

    private int Slot(ulong key)
    {
        int mask = _keys.Length - 1, slot = (int)(key >> 32) & mask;
        while (_keys[slot] != 0 && _keys[slot] != key) slot = (slot + 1) & mask;
        return slot;
    }

    private void Grow()
    {
        if (_used >= Most)
        {
            Array.Clear(_keys);
            _used = 0;
            return;
        }

        ulong[] old = _keys;
        _keys = new ulong[old.Length * 2];
        foreach (ulong key in old)
        {
            if (key != 0) _keys[Slot(key)] = key;
        }
    }
}
