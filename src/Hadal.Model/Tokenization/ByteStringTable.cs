using System.Buffers.Binary;
using System.Numerics;

namespace Hadal.Model.Tokenization;

/// <summary>
/// Byte strings, numbered from 0 in the order they come, and found again by their bytes. One block of memory for all of them instead of an object each:
/// a vocabulary has some hundred thousand.
/// </summary>
internal sealed class ByteStringTable
{
    // Odd and different in every process, so that no file can be made to collide.
    private static readonly ulong _multiplier = (ulong)Random.Shared.NextInt64() << 1 | 1;

    private byte[] _bytes;
    private int[] _ends;
    private int[] _slots;
    private int _found;

    /// <summary>Makes room for some strings; more may come.</summary>
    internal ByteStringTable(int expected)
    {
        _bytes = new byte[Math.Max(16, expected * 8)];
        _ends = new int[Math.Max(4, expected)];
        _slots = NewSlots(Math.Max(8, (int)Math.Min(1 << 30, expected * 2L)));
    }

    internal int Count { get; private set; }

    internal ReadOnlySpan<byte> this[int number] => _bytes.AsSpan(Start(number)..End(number));

    /// <summary>The number of a string added to be found, or -1.</summary>
    internal int Find(ReadOnlySpan<byte> bytes)
    {
        int slot = Locate(bytes);
        return _slots[slot];
    }

    /// <summary>Adds a string that is not there yet.</summary>
    /// <returns>Its number, or -1, with nothing added, when the table has it.</returns>
    internal int Add(ReadOnlySpan<byte> bytes)
    {
        if ((_found + 1) * 2L > _slots.Length) Rehash();
        int slot = Locate(bytes);
        if (_slots[slot] >= 0) return -1;
        _found++;
        return _slots[slot] = AddHidden(bytes);
    }

    /// <summary>Adds a string that is only to be read by its number.</summary>
    internal int AddHidden(ReadOnlySpan<byte> bytes)
    {
        int start = Count == 0 ? 0 : _ends[Count - 1];
        int end = checked(start + bytes.Length);
        if (end > _bytes.Length) Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(end, _bytes.Length * 2L)));
        if (Count == _ends.Length) Array.Resize(ref _ends, (int)Math.Min(Array.MaxLength, _ends.Length * 2L));
        bytes.CopyTo(_bytes.AsSpan(start));
        _ends[Count] = end;
        return Count++;
    }

    private int Start(int number) => number == 0 ? 0 : _ends[number - 1];

    private int End(int number) => _ends[number];

    private int Locate(ReadOnlySpan<byte> bytes)
    {
        int slot = (int)(Hash(bytes) >> 32) & _slots.Length - 1;
        while (_slots[slot] is >= 0 and int number && !bytes.SequenceEqual(this[number])) slot = slot + 1 & _slots.Length - 1;
        return slot;
    }

    private void Rehash()
    {
        int[] old = _slots;
        _slots = NewSlots(checked(old.Length * 2));
        foreach (int number in old)
            if (number >= 0) _slots[Locate(this[number])] = number;
    }

    private static int[] NewSlots(int atLeast)
    {
        int[] slots = new int[(int)BitOperations.RoundUpToPowerOf2((uint)atLeast)];
        Array.Fill(slots, -1);
        return slots;
    }

    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = (ulong)bytes.Length;
        while (bytes.Length >= 8)
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        ulong rest = 0;
        for (int i = 0; i < bytes.Length; i++) rest |= (ulong)bytes[i] << 8 * i;
        return Mix(hash ^ rest);
    }

    /// <summary>Folds the high half of the product onto the low one, so that every bit of the word reaches every bit of the hash.</summary>
    private static ulong Mix(ulong word) => Math.BigMul(word, _multiplier, out ulong low) ^ low;
}
