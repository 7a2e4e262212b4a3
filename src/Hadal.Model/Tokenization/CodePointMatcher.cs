namespace Hadal.Model.Tokenization;

/// <summary>Finds single code points of a set.</summary>
internal sealed class CodePointMatcher(CodePointSet set) : IPieceMatcher
{
    private readonly ulong[] _bmp = Bitmap(set);

    /// <inheritdoc/>
    public void FindAll(ReadOnlySpan<char> text, List<(int Start, int End)> matches)
    {
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length)
            {
                if (set.Contains(char.ConvertToUtf32(c, text[i + 1]))) matches.Add((i, i + 2));
                i++;
            }
            else if ((_bmp[c >> 6] >> (c & 63) & 1) != 0)
            {
                matches.Add((i, i + 1));
            }
        }
    }

    private static ulong[] Bitmap(CodePointSet set)
    {
        ulong[] map = new ulong[0x10000 / 64];
        ReadOnlySpan<int> bounds = set.Bounds;
        for (int i = 0; i < bounds.Length; i += 2)
            for (int c = bounds[i]; c < Math.Min(bounds[i + 1], 0x10000); c++) map[c >> 6] |= 1UL << (c & 63);
        return map;
    }
}
