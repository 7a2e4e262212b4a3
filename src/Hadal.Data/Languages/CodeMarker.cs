namespace Hadal.Data.Languages;

/// <summary>Where in a line, without the blanks at its ends, a marker stands.</summary>
internal enum MarkerPlace
{
    Start,
    Inside,
    End,
    Whole,
}

/// <summary>Something in a line that speaks for a programming language.</summary>
/// <param name="Language">Index into <see cref="CodeMarkers.Languages"/>.</param>
/// <param name="Place">Where it stands.</param>
/// <param name="Text">The characters.</param>
/// <param name="Ending">What the line must end with, or empty.</param>
/// <param name="Then">What the line must hold besides, or empty.</param>
/// <param name="Weight">How much it says: 1 a hint, 3 clear, 10 certain.</param>
internal sealed record CodeMarker(int Language, MarkerPlace Place, string Text, string Ending, string Then, float Weight)
{
    /// <summary>The ASCII characters in it, a bit each: a line without one of them cannot hold it.</summary>
    internal UInt128 Letters { get; } = LettersOf(Text);

    internal static UInt128 LettersOf(ReadOnlySpan<char> text)
    {
        ulong low = 0, high = 0;
        foreach (char c in text)
        {
            if (c < 64) low |= 1UL << c;
            else if (c < 128) high |= 1UL << (c - 64);
        }

        return new UInt128(high, low);
    }
}
