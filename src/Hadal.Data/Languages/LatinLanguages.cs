using System.Collections.Frozen;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Hadal.Data.Languages;

/// <summary>
/// Tells languages in Latin letters apart with naive Bayes over frequent words (probability by rank, Zipf's law), accented letters, and the endings of all other words.
/// Languages other than English and Spanish are there so that they are not taken for one of these.
/// </summary>
internal static class LatinLanguages
{
    private const int LongestWord = 24;
    private const double MostFrequentWord = 0.05, AbsentWord = 1e-4;
    private const float AccentOfLanguage = 1.5f, EndingOfLanguage = 0.7f;

    // Places of a row of weights: a multiple of every width of vectors. Behind the weights of a word stands a row that says which languages list it.
    private const int Width = 32;

    // Prose has four words in ten and more on the lists, word problems and headlines fewer; lists of names and random letters hardly any.
    private const double LeastListed = 0.12;

    // Below this many words, a text need only be more like the language than like others.
    private const int FewWords = 12;

    private static readonly LatinWords[] _languages = LatinWords.All;
    private static readonly FrozenDictionary<string, float[]> _words = ReadWords();
    private static readonly FrozenDictionary<string, float[]>.AlternateLookup<ReadOnlySpan<char>> _lookup = _words.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenDictionary<string, float[]>.AlternateLookup<ReadOnlySpan<char>> _endings = ReadEndings().GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenDictionary<char, float[]> _accents = ReadAccents();

    internal static LanguageGuess Identify(ReadOnlySpan<char> text)
    {
        int count = _languages.Length;
        Span<float> sums = stackalloc float[2 * Width];
        sums.Clear();
        Span<float> scores = sums[..count], listed = sums.Slice(Width, count);
        Span<char> word = stackalloc char[LongestWord];
        int words = 0;
        for (int i = 0; i < text.Length;)
        {
            if (!IsLetter(text[i]))
            {
                i++;
                continue;
            }

            int length = 0;
            for (; i < text.Length && IsLetter(text[i]); i++, length++)
                if (length < LongestWord) word[length] = Lower(text[i]);
            // Names of variables and initials.
            if (length == 1 && text[i - 1] is >= 'A' and <= 'Z' and not ('A' or 'I')) continue;
            words++;
            if (length <= LongestWord) Add(word[..length], sums);
        }

        if (words == 0) return new LanguageGuess(LanguageIdentifier.Other, 0);
        int best = 0, second = 1;
        if (scores[1] > scores[0]) (best, second) = (1, 0);
        for (int i = 2; i < count; i++)
        {
            if (scores[i] > scores[best]) (best, second) = (i, best);
            else if (scores[i] > scores[second]) second = i;
        }

        double margin = 1 - Math.Exp(scores[second] - scores[best]);
        string code = _languages[best].Code;
        bool known = words < FewWords ? margin > 0.5 : listed[best] >= LeastListed * words;
        if (code is not ("en" or "es") || !known) return new LanguageGuess(LanguageIdentifier.Other, known ? margin : 1 - margin);
        return new LanguageGuess(code, margin);
    }

    private static bool IsLetter(char c) => c < 0x80 ? char.IsAsciiLetter(c) : c >= 0xC0 && char.IsLetter(c);

    private static char Lower(char c) => c < 0x80 ? (char)(c | 0x20) : char.ToLowerInvariant(c);

    private static void Add(ReadOnlySpan<char> word, Span<float> sums)
    {
        foreach (char c in word)
            if (c >= 0x80 && _accents.TryGetValue(c, out float[]? accents)) Add(accents, sums);
        if (_lookup.TryGetValue(word, out float[]? weights)) Add(weights, sums);
        else if (word.Length > 3 && _endings.TryGetValue(word[^3..], out float[]? ending)) Add(ending, sums);
    }

    private static void Add(float[] weights, Span<float> sums)
    {
        Span<Vector<float>> to = MemoryMarshal.Cast<float, Vector<float>>(sums);
        ReadOnlySpan<Vector<float>> from = MemoryMarshal.Cast<float, Vector<float>>(weights);
        for (int i = 0; i < from.Length; i++) to[i] += from[i];
    }

    private static FrozenDictionary<string, float[]> ReadWords()
    {
        Dictionary<string, float[]> words = new(StringComparer.Ordinal);
        for (int language = 0; language < _languages.Length; language++)
        {
            string[] list = _languages[language].Words.Split(' ');
            for (int rank = 0; rank < list.Length; rank++)
            {
                float weight = (float)Math.Log(MostFrequentWord / (rank + 1) / AbsentWord);
                float[] weights = Get(words, list[rank], 2 * Width);
                weights[Width + language] = 1;
                weights[language] = Math.Max(weights[language], weight);
            }
        }

        return words.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static FrozenDictionary<string, float[]> ReadEndings()
    {
        Dictionary<string, float[]> endings = new(StringComparer.Ordinal);
        for (int language = 0; language < _languages.Length; language++)
            foreach (string ending in _languages[language].Endings.Split(' ').Where(static ending => ending.Length >= 3)) Get(endings, ending[^3..], Width)[language] = EndingOfLanguage;
        return endings.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static FrozenDictionary<char, float[]> ReadAccents()
    {
        Dictionary<char, float[]> accents = [];
        for (int language = 0; language < _languages.Length; language++)
        {
            foreach (char c in _languages[language].Accents)
            {
                if (!accents.TryGetValue(c, out float[]? weights)) accents.Add(c, weights = new float[Width]);
                weights[language] = AccentOfLanguage;
            }
        }

        return accents.ToFrozenDictionary();
    }

    private static float[] Get(Dictionary<string, float[]> table, string key, int length)
    {
        if (!table.TryGetValue(key, out float[]? weights)) table.Add(key, weights = new float[length]);
        return weights;
    }
}
