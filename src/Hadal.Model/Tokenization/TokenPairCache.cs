namespace Hadal.Model.Tokenization;

/// <summary>Remembers which pairs of tokens <see cref="TokenSplits.AreStable"/> said yes to, and which no. Bounded; not thread-safe.</summary>
internal sealed class TokenPairCache
{
    private const int Slots = 1 << 17;
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    // The pair, with one added so that no pair is 0, and the answer in the lowest bit. Made when first used: most texts have no need of it.
    private ulong[]? _slots;

    internal bool AreStable(TokenSplits splits, int left, int right)
    {
        ulong[] slots = _slots ??= new ulong[Slots];
        ulong pair = (ulong)(left + 1L) << 32 | (uint)right << 1;
        ref ulong slot = ref slots[(int)(pair * Multiplier >> 47)];
        if ((slot & ~1UL) == pair) return (slot & 1) != 0;
        bool stable = splits.AreStable(left, right);
        slot = pair | (stable ? 1UL : 0);
        return stable;
    }
}
