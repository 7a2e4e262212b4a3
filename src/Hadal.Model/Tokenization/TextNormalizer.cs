using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>What a tokenizer file asks to do to text before it is cut. The DeepSeek files ask for nothing.</summary>
internal abstract class TextNormalizer
{
    private const int LargestGrowth = 64;
    private const int AlwaysAllowed = 1 << 16;

    internal abstract string Apply(string text);

    /// <summary>Keeps a file from blowing text up without bound.</summary>
    private static void CheckGrowth(int before, int after)
    {
        if (after > AlwaysAllowed && after / LargestGrowth > before)
            throw new TokenizerException($"the tokenizer's normalizer makes {after} characters out of {before}, more than {LargestGrowth} times as many");
    }

    /// <summary>Several, one after the other.</summary>
    internal sealed class Chain(IReadOnlyList<TextNormalizer> links) : TextNormalizer
    {
        internal override string Apply(string text)
        {
            string result = text;
            foreach (TextNormalizer link in links)
            {
                result = link.Apply(result);
                CheckGrowth(text.Length, result.Length);
            }

            return result;
        }
    }

    /// <summary>One of the four Unicode normalisation forms.</summary>
    internal sealed class Unicode(NormalizationForm form) : TextNormalizer
    {
        internal override string Apply(string text) => UnicodeNormalizer.Normalize(text, form);
    }

    /// <summary>Puts a text before every stretch that is not empty.</summary>
    internal sealed class Prepend(string prefix) : TextNormalizer
    {
        internal override string Apply(string text) => text.Length == 0 ? text : prefix + text;
    }

    /// <summary>Replaces everything a matcher finds.</summary>
    internal sealed class Replace(IPieceMatcher matcher, string replacement) : TextNormalizer
    {
        internal override string Apply(string text)
        {
            List<(int Start, int End)> matches = [];
            matcher.FindAll(text, matches);
            if (matches.Count == 0) return text;
            StringBuilder result = new(text.Length);
            int place = 0;
            foreach ((int start, int end) in matches)
            {
                result.Append(text, place, start - place).Append(replacement);
                place = end;
                CheckGrowth(text.Length, result.Length);
            }

            return result.Append(text, place, text.Length - place).ToString();
        }
    }
}
