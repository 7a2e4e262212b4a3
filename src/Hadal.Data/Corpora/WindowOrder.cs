using System.Numerics;

namespace Hadal.Data.Corpora;

/// <summary>
/// A shuffle of 0 … count-1 that is never stored: place i of epoch e is computed, so any step of a run can be resumed without replaying the ones before it.
/// </summary>
/// <remarks>
/// A four-round Feistel network permutes the numbers of an even number of bits, and walking its cycle until the value is below count restricts it to
/// [0, count) (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). The domain is less than four times count, so a walk takes under four steps on average.
/// </remarks>
internal readonly struct WindowOrder
{
    private const int Rounds = 4;
    private readonly ulong _seed;
    private readonly ulong _mask;
    private readonly int _halfBits;
    private readonly long _count;

    public WindowOrder(long count, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        _count = count;
        _seed = seed;
        int bits = Math.Max(2, 64 - BitOperations.LeadingZeroCount((ulong)count - 1));
        _halfBits = (bits + 1) / 2;
        _mask = (1UL << _halfBits) - 1;
    }

    /// <summary>The window that comes at place <paramref name="index"/> in [0, count) of an epoch.</summary>
    public long this[long epoch, long index]
    {
        get
        {
            ulong key = SplitHash.Mix(_seed ^ SplitHash.Mix((ulong)epoch));
            ulong value = (ulong)index;
            do
            {
                value = Permute(value, key);
            }
            while (value >= (ulong)_count);
            return (long)value;
        }
    }

    private ulong Permute(ulong value, ulong key)
    {
        ulong left = value >> _halfBits, right = value & _mask;
        for (int round = 0; round < Rounds; round++)
        {
            ulong mixed = SplitHash.Mix(right ^ SplitHash.Mix(key + (ulong)round)) & _mask;
            (left, right) = (right, left ^ mixed);
        }

        return (left << _halfBits) | right;
    }
}
