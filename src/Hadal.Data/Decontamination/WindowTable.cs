using System.Numerics;

namespace Hadal.Data.Decontamination;

/// <summary>
/// Which parts of items hold a window, by the window's hash: 8 bytes a slot at a load of 0.35 to 0.7, and 4 bytes for each further part. 32 bits of a hash are kept beside the place
/// it leads to, so that a strange window is taken for one of a million with a probability below 10^-9; a single one decides nothing.
/// </summary>
internal sealed class WindowTable
{
    // A window that more parts hold says little about each: it counts for the first ones alone.
    private const int MostParts = 8;
    private readonly uint[] _keys;
    private readonly int[] _values;
    private readonly int[] _shared;
    private readonly int _shift;

    /// <param name="hashes">The windows, in any order, a part's repeats included; they are sorted here.</param>
    /// <param name="parts">The part that holds each.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="windowsOfPart">Receives how many different windows of each part are in the table.</param>
    public WindowTable(ulong[] hashes, int[] parts, int count, int[] windowsOfPart)
    {
        Array.Sort(hashes, parts, 0, count);
        int distinct = 0;
        for (int i = 0; i < count; i++) distinct += i == 0 || hashes[i] != hashes[i - 1] ? 1 : 0;
        Count = distinct;
        int size = (int)Math.Max(16, BitOperations.RoundUpToPowerOf2((uint)(distinct / 0.7) + 1));
        _shift = 64 - BitOperations.Log2((uint)size);
        _keys = new uint[size];
        _values = new int[size];
        var shared = new List<int>();
        for (int i = 0, next; i < count; i = next)
        {
            next = i + 1;
            while (next < count && hashes[next] == hashes[i]) next++;
            Span<int> holders = parts.AsSpan(i, next - i);
            holders.Sort();
            int kept = 1;
            for (int j = 1; j < holders.Length && kept < MostParts; j++)
            {
                if (holders[j] != holders[kept - 1]) holders[kept++] = holders[j];
            }

            foreach (int part in holders[..kept]) windowsOfPart[part]++;
            int value = holders[0];
            if (kept > 1)
            {
                value = ~shared.Count;
                shared.Add(kept);
                foreach (int part in holders[..kept]) shared.Add(part);
            }

            int slot = (int)(hashes[i] >> _shift);
            while (_keys[slot] != 0) slot = (slot + 1) & (size - 1);
            (_keys[slot], _values[slot]) = (Key(hashes[i]), value);
        }

        _shared = [.. shared];
    }

    /// <summary>Different windows.</summary>
    public int Count { get; }

    public long Bytes => 8L * _keys.Length + 4L * _shared.Length;

    /// <summary>The slot of a window; -1 for none.</summary>
    public int Find(ulong hash)
    {
        uint key = Key(hash);
        int slot = (int)(hash >> _shift);
        while (true)
        {
            uint found = _keys[slot];
            if (found == key) return slot;
            if (found == 0) return -1;
            slot = (slot + 1) & (_keys.Length - 1);
        }
    }

    /// <summary>The parts that hold the window of a slot, in ascending order.</summary>
    public ReadOnlySpan<int> PartsAt(int slot)
    {
        ref readonly int value = ref _values[slot];
        return value >= 0 ? new ReadOnlySpan<int>(in value) : _shared.AsSpan(~value + 1, _shared[~value]);
    }

    // The leading bits choose the slot; these are others. Zero marks an empty slot.
    private static uint Key(ulong hash) => (uint)hash is 0 ? 1 : (uint)hash;
}
