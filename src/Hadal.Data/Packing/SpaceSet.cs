using System.Numerics;

namespace Hadal.Data.Packing;

/// <summary>A set of numbers in [0, size), in words of 64 bits with a bit in the level above for every word that is not empty.</summary>
/// <remarks>Adding, removing and looking for the next member take one word a level, and there are ⌈log₆₄ size⌉ levels: 4 for a row of a million tokens.</remarks>
internal sealed class SpaceSet
{
    private readonly ulong[][] _levels;

    public SpaceSet(int size)
    {
        var levels = new List<ulong[]>();
        for (int words = size; levels.Count == 0 || words > 1;)
        {
            words = (words + 63) / 64;
            levels.Add(new ulong[words]);
        }

        _levels = [.. levels];
    }

    public void Add(int number)
    {
        foreach (ulong[] level in _levels)
        {
            level[number >> 6] |= 1UL << number;
            number >>= 6;
        }
    }

    public void Remove(int number)
    {
        foreach (ulong[] level in _levels)
        {
            if ((level[number >> 6] &= ~(1UL << number)) != 0) return;
            number >>= 6;
        }
    }

    /// <summary>The smallest member that is at least <paramref name="number"/>; -1 for none.</summary>
    public int Next(int number)
    {
        for (int l = 0; l < _levels.Length; l++)
        {
            if (number >> 6 >= _levels[l].Length) return -1;
            ulong rest = _levels[l][number >> 6] >> number;
            if (rest != 0)
            {
                number += BitOperations.TrailingZeroCount(rest);
                while (--l >= 0) number = (number << 6) + BitOperations.TrailingZeroCount(_levels[l][number]);
                return number;
            }

            number = (number >> 6) + 1;
        }

        return -1;
    }
}
