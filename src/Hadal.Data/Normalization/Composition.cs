using System.Globalization;
using System.Text;
using Hadal.Model.Tokenization;

namespace Hadal.Data.Normalization;

/// <summary>Normalisation form C, line by line: a line feed neither composes nor reorders, and nearly every line of real text is in form C already.</summary>
internal static class Composition
{
    private const int JamoVowels = 0x1160, JamoTrailsEnd = 0x1200;

    private static readonly Lazy<bool[]> _suspects = new(FindSuspects);

    internal static string Compose(string text, out int changedLines)
    {
        changedLines = 0;
        if (!text.AsSpan().ContainsAnyInRange('\u0300', '\uFFFF')) return text;
        bool[] suspects = _suspects.Value;
        StringBuilder? result = null;
        int copied = 0;
        for (int start = 0; start < text.Length;)
        {
            int end = text.IndexOf('\n', start);
            if (end < 0) end = text.Length;
            if (IsSuspect(text.AsSpan(start, end - start), suspects))
            {
                string line = text[start..end];
                string composed = UnicodeNormalizer.Normalize(line, NormalizationForm.FormC);
                if (composed != line)
                {
                    result ??= new StringBuilder(text.Length);
                    result.Append(text, copied, start - copied).Append(composed);
                    copied = end;
                    changedLines++;
                }
            }

            start = end + 1;
        }

        return result is null ? text : result.Append(text, copied, text.Length - copied).ToString();
    }

    private static bool IsSuspect(ReadOnlySpan<char> line, bool[] suspects)
    {
        foreach (char c in line)
            if (suspects[c]) return true;
        return false;
    }

    /// <summary>
    /// Characters that may take part in a change (the "no" and "maybe" of the quick check of Annex 15): marks, the vowels and trailing consonants of Hangul, whatever
    /// form C changes by itself, and the high surrogates of blocks where such characters lie (Indic scripts of plane 1, musical notes, CJK compatibility ideographs).
    /// </summary>
    private static bool[] FindSuspects()
    {
        bool[] suspects = new bool[char.MaxValue + 1];
        for (int c = 0x0300; c <= char.MaxValue; c++)
        {
            UnicodeCategory category = char.GetUnicodeCategory((char)c);
            if (category == UnicodeCategory.Surrogate)
            {
                suspects[c] = c is (>= 0xD804 and <= 0xD807) or (>= 0xD818 and <= 0xD81B) or (>= 0xD834 and <= 0xD83A) or 0xD87E;
            }
            else
            {
                suspects[c] = category is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
                    || c is >= JamoVowels and < JamoTrailsEnd
                    || !IsStable((char)c, category);
            }
        }

        return suspects;
    }

    private static bool IsStable(char c, UnicodeCategory category)
    {
        // Ideographs and syllables are the most of the plane and, outside the compatibility block, stay themselves.
        if (c is (>= '\u3400' and <= '\uD7A3') or (>= '\uE000' and <= '\uF8FF') || category == UnicodeCategory.OtherNotAssigned) return true;
        string one = c.ToString();
        return UnicodeNormalizer.Normalize(one, NormalizationForm.FormC) == one;
    }
}
