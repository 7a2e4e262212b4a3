using System.Numerics;

namespace Hadal.Data.Quality;

/// <summary>
/// Eight frequent words of each of eight languages, and eight frequent characters each of Chinese and Japanese. A word is looked up by its hash and gives the bits of the languages
/// it belongs to, a byte a language, so that counting the different ones of each language is one "or" a word.
/// </summary>
internal static class StopWords
{
    // The English ones are Gopher's.
    private static readonly (string Language, string[] Words)[] _spaced =
    [
        ("en", ["the", "be", "to", "of", "and", "that", "have", "with"]),
        ("es", ["de", "la", "que", "el", "en", "y", "los", "con"]),
        ("fr", ["de", "la", "le", "les", "et", "des", "est", "que"]),
        ("de", ["der", "die", "und", "das", "nicht", "ist", "den", "mit"]),
        ("it", ["di", "che", "la", "il", "un", "per", "non", "con"]),
        ("pt", ["de", "que", "não", "do", "da", "em", "um", "os"]),
        ("nl", ["de", "het", "een", "van", "en", "dat", "niet", "is"]),
        ("ru", ["и", "в", "не", "на", "что", "с", "он", "как"]),
    ];

    private static readonly string[] _unspaced = ["的了是在不有我之", "のはをにがでとた"];
    private static readonly ulong[] _keys = new ulong[512];
    private static readonly ulong[] _bits = new ulong[512];

    static StopWords()
    {
        for (int language = 0; language < _spaced.Length; language++)
        {
            for (int i = 0; i < 8; i++) Add(WordHash.Of(_spaced[language].Words[i]), 1UL << (8 * language + i));
        }

        for (int language = 0; language < _unspaced.Length; language++)
        {
            for (int i = 0; i < 8; i++) Add(WordHash.Of(_unspaced[language].AsSpan(i, 1)), 1UL << (8 * language + i));
        }
    }

    /// <summary>The bits of a word or character; 0 for none.</summary>
    public static ulong BitsOf(ulong hash)
    {
        for (int i = (int)(hash >> 55); ; i = (i + 1) & 511)
        {
            if (_keys[i] == hash) return _bits[i];
            if (_keys[i] == 0) return 0;
        }
    }

    /// <summary>
    /// How many different ones the bits hold: of the language if it has a list, else the most of any; null where the language is known and has none. Chinese and Japanese are not
    /// told apart: what is written in one may be labelled as the other, and many a text mixes them.
    /// </summary>
    public static int? Count(ulong bits, string? language, bool unspaced)
    {
        string code = language is null ? "" : language.Split('-', '_')[0].ToLowerInvariant();
        int own = unspaced ? -1 : Array.FindIndex(_spaced, l => l.Language == code);
        if (own >= 0) return BitOperations.PopCount((bits >> (8 * own)) & 0xFF);
        if (code is not ("" or "und" or "other" or "unknown" or "math" or "zh" or "ja") && !(unspaced && IsSpaced(code))) return null;
        int most = 0;
        for (int i = 0; i < 8; i++) most = Math.Max(most, BitOperations.PopCount((bits >> (8 * i)) & 0xFF));
        return most;
    }

    private static bool IsSpaced(string code) => Array.Exists(_spaced, l => l.Language == code);

    private static void Add(ulong hash, ulong bits)
    {
        int i = (int)(hash >> 55);
        while (_keys[i] != 0 && _keys[i] != hash) i = (i + 1) & 511;
        _keys[i] = hash;
        _bits[i] |= bits;
    }
}
