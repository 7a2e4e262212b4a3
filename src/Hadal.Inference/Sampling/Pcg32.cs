namespace Hadal.Inference.Sampling;

/// <summary>PCG32 (XSH-RR 64/32): a 64-bit linear congruential state, its high bits shuffled into 32 output bits. Integers only, so a seed gives the same
/// numbers on every machine and in every version of Hadal.</summary>
/// <remarks>
/// state ← state·6364136223846793005 + 1442695040888963407; output = rotateRight32(((state ≫ 18) xor state) ≫ 27, state ≫ 59), from the state before the
/// step. The seed is spread over the state by one round of SplitMix64, so neighbouring seeds start far apart.
/// </remarks>
internal struct Pcg32
{
    private const ulong Multiplier = 6364136223846793005, Increment = 1442695040888963407;
    private ulong _state;

    public Pcg32(ulong seed)
    {
        ulong z = seed + 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        _state = z ^ (z >> 31);
    }

    public uint NextUInt32()
    {
        ulong old = _state;
        _state = unchecked(old * Multiplier + Increment);
        return uint.RotateRight((uint)(((old >> 18) ^ old) >> 27), (int)(old >> 59));
    }

    /// <summary>A number in [0, 1) with 53 random bits.</summary>
    public double NextDouble()
    {
        ulong high = NextUInt32(), low = NextUInt32();
        return ((high << 32 | low) >> 11) * (1.0 / (1UL << 53));
    }
}
