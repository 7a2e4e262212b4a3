namespace Hadal.Data.Corpora;

/// <summary>A document's side of the split: a number that depends on its id and the seed and on nothing else.</summary>
internal static class SplitHash
{
    /// <summary>A value in [0, 1): FNV-1a over the UTF-16 code units, mixed with the seed.</summary>
    public static double UnitInterval(string id, ulong seed)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (char c in id) hash = (hash ^ c) * 0x100000001B3;
        return (Mix(hash ^ Mix(seed)) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>The finalizer of SplitMix64: a bijection in which every input bit reaches every output bit.</summary>
    public static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
