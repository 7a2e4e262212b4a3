namespace Hadal.Data.FillInTheMiddle;

/// <summary>Where a text is cut into prefix, middle and suffix: at two places drawn evenly from all of them (report section 4.1, "PSM").</summary>
/// <param name="From">First UTF-16 unit of the middle.</param>
/// <param name="To">Behind its last.</param>
public readonly record struct MiddleCut(int From, int To)
{
    /// <summary>Draws a cut. A pair of surrogates, and the two characters of a line end, stay together.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="draw">64 random bits.</param>
    public static MiddleCut Draw(ReadOnlySpan<char> text, ulong draw)
    {
        int a = Place(text, (uint)(draw >> 32)), b = Place(text, (uint)draw);
        return a <= b ? new MiddleCut(a, b) : new MiddleCut(b, a);
    }

    private static int Place(ReadOnlySpan<char> text, uint bits)
    {
        // 0 to Length, both included, each equally often up to 2⁻³².
        int place = (int)(((ulong)bits * ((ulong)text.Length + 1)) >> 32);
        if (place > 0 && place < text.Length && (char.IsSurrogatePair(text[place - 1], text[place]) || (text[place - 1] == '\r' && text[place] == '\n'))) place--;
        return place;
    }
}
