namespace Hadal.Data.Quality;

/// <summary>A hash of a word in lower case that can be carried from letter to letter. Its leading bits are the best mixed ones.</summary>
internal static class WordHash
{
    public const ulong Start = 0xCBF29CE484222325;

    public static ulong Add(ulong hash, char c) => (hash ^ Lower(c)) * 0x9E3779B97F4A7C15;

    public static ulong Of(ReadOnlySpan<char> word)
    {
        ulong hash = Start;
        foreach (char c in word) hash = Add(hash, c);
        return hash;
    }

    private static ulong Lower(char c)
    {
        if (c < 128) return (ulong)(c is >= 'A' and <= 'Z' ? c | 0x20 : c);
        return char.ToLowerInvariant(c);
    }
}
