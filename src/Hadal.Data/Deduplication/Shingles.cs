using System.Numerics;
using System.Text;
using Hadal.Data.Corpora;

namespace Hadal.Data.Deduplication;

/// <summary>
/// The windows of a text as hashes. The text is taken in lower case, runs of white space as one blank, without blanks at its ends, so that layout and capitals do not
/// make two texts differ; a text shorter than a window is one window.
/// </summary>
/// <remarks>A window's hash is a polynomial over its parts, carried from window to window, then mixed to 32 bits. Not thread-safe: it keeps its buffers.</remarks>
internal sealed class Shingles
{
    private const ulong Base = 0x9E3779B97F4A7C15;
    private readonly List<ulong> _parts = [];
    private uint[] _hashes = new uint[1024];

    /// <summary>Hashes of all windows in order, repeats included; valid until the next call.</summary>
    public ReadOnlySpan<uint> Of(string text, ShingleRule rule)
    {
        _parts.Clear();
        if (rule.Of == ShingleKind.Characters) SplitCharacters(text);
        else SplitWords(text);
        return Windows(rule.Length);
    }

    /// <summary>The distinct hashes of a text in ascending order, for counting what two texts share.</summary>
    public uint[] SetOf(string text, ShingleRule rule)
    {
        uint[] all = Of(text, rule).ToArray();
        Array.Sort(all);
        int count = 0;
        for (int i = 0; i < all.Length; i++)
        {
            if (i == 0 || all[i] != all[i - 1]) all[count++] = all[i];
        }

        Array.Resize(ref all, count);
        return all;
    }

    /// <summary>|A ∩ B| / |A ∪ B| of two sets in ascending order; 0 for two empty ones.</summary>
    public static double Jaccard(ReadOnlySpan<uint> a, ReadOnlySpan<uint> b)
    {
        int shared = 0, i = 0, j = 0;
        while (i < a.Length && j < b.Length)
        {
            if (a[i] == b[j])
            {
                shared++;
                i++;
                j++;
            }
            else if (a[i] < b[j])
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        int union = a.Length + b.Length - shared;
        return union == 0 ? 0 : (double)shared / union;
    }

    private void SplitCharacters(string text)
    {
        bool blank = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune))
            {
                blank = _parts.Count > 0;
                continue;
            }

            if (blank) _parts.Add(' ');
            blank = false;
            _parts.Add(Lower(rune));
        }
    }

    private void SplitWords(string text)
    {
        ulong word = 0;
        bool any = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (!Rune.IsWhiteSpace(rune))
            {
                word = word * Base + Lower(rune) + 1;
                any = true;
            }
            else if (any)
            {
                _parts.Add(word);
                (word, any) = (0, false);
            }
        }

        if (any) _parts.Add(word);
    }

    private static ulong Lower(Rune rune)
    {
        int value = rune.Value;
        if (value < 128) return (ulong)(value is >= 'A' and <= 'Z' ? value | 0x20 : value);
        return (ulong)Rune.ToLowerInvariant(rune).Value;
    }

    private ReadOnlySpan<uint> Windows(int length)
    {
        int parts = _parts.Count;
        if (parts == 0) return [];
        int windows = Math.Max(1, parts - length + 1), width = Math.Min(length, parts);
        if (_hashes.Length < windows) _hashes = new uint[Math.Max(windows, (int)BitOperations.RoundUpToPowerOf2((uint)windows))];
        ulong leading = 1, sum = 0;
        for (int i = 1; i < width; i++) leading *= Base;
        for (int i = 0; i < width; i++) sum = sum * Base + _parts[i] + 1;
        _hashes[0] = Mixed(sum);
        for (int i = 1; i < windows; i++)
        {
            sum = (sum - (_parts[i - 1] + 1) * leading) * Base + _parts[i + width - 1] + 1;
            _hashes[i] = Mixed(sum);
        }

        return _hashes.AsSpan(0, windows);
    }

    private static uint Mixed(ulong sum) => (uint)(SplitHash.Mix(sum) >> 32);
}
