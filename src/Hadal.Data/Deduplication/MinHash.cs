using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Hadal.Data.Corpora;

namespace Hadal.Data.Deduplication;

/// <summary>
/// Sketches of sets: for each of n hash functions the smallest hash of any member. Two sets agree in a place with a probability of their Jaccard similarity
/// (Broder, "On the resemblance and containment of documents", 1997), so the share of equal places estimates it with a standard error of sqrt(J·(1 - J)/n).
/// </summary>
internal sealed class MinHash
{
    private const int Lanes = 16, Together = 4;
    private readonly uint[] _multipliers, _offsets;

    /// <param name="places">n, a multiple of 64.</param>
    /// <param name="seed">Decides the hash functions.</param>
    public MinHash(int places, ulong seed)
    {
        if (places < 1 || places % (Lanes * Together) != 0) throw new ArgumentOutOfRangeException(nameof(places), places, "The places of a sketch are a multiple of 64.");
        (_multipliers, _offsets) = (new uint[places], new uint[places]);
        for (int i = 0; i < places; i++)
        {
            ulong word = SplitHash.Mix(seed + (ulong)i * 0xD1342543DE82EF95);
            (_multipliers[i], _offsets[i]) = ((uint)word | 1, (uint)(word >> 32));
        }
    }

    /// <summary>n.</summary>
    public int Places => _multipliers.Length;

    /// <summary>Writes the sketch of a set given by hashes of its members, repeats allowed; all ones for an empty set.</summary>
    public void Sketch(ReadOnlySpan<uint> members, Span<uint> sketch)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(sketch.Length, Places, nameof(sketch));
        var minima = MemoryMarshal.Cast<uint, Vector512<uint>>(sketch);
        var multipliers = MemoryMarshal.Cast<uint, Vector512<uint>>(_multipliers);
        var offsets = MemoryMarshal.Cast<uint, Vector512<uint>>(_offsets);

        // Four vectors of minima stay in registers while all members pass.
        for (int v = 0; v < minima.Length; v += Together)
        {
            Vector512<uint> m0 = multipliers[v], m1 = multipliers[v + 1], m2 = multipliers[v + 2], m3 = multipliers[v + 3];
            Vector512<uint> o0 = offsets[v], o1 = offsets[v + 1], o2 = offsets[v + 2], o3 = offsets[v + 3];
            Vector512<uint> s0 = Vector512<uint>.AllBitsSet, s1 = s0, s2 = s0, s3 = s0;
            foreach (uint member in members)
            {
                var x = Vector512.Create(member);
                s0 = Vector512.Min(s0, x * m0 + o0);
                s1 = Vector512.Min(s1, x * m1 + o1);
                s2 = Vector512.Min(s2, x * m2 + o2);
                s3 = Vector512.Min(s3, x * m3 + o3);
            }

            (minima[v], minima[v + 1], minima[v + 2], minima[v + 3]) = (s0, s1, s2, s3);
        }
    }

    /// <summary>The share of equal places: an estimate of the similarity.</summary>
    public static double Estimate(ReadOnlySpan<uint> a, ReadOnlySpan<uint> b)
    {
        int equal = 0;
        for (int i = 0; i < a.Length; i++) equal += a[i] == b[i] ? 1 : 0;
        return (double)equal / a.Length;
    }

    /// <summary>A band's key: equal for two sketches that agree in all places of the band.</summary>
    public static ulong BandKey(ReadOnlySpan<uint> sketch, int band, int rows)
    {
        ulong key = SplitHash.Mix((ulong)band);
        foreach (uint value in sketch.Slice(band * rows, rows)) key = SplitHash.Mix(key ^ value);
        return key;
    }
}
