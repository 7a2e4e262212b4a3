namespace Hadal.Data.Normalization;

/// <summary>What cleaning changed in one text, in characters (UTF-16 units) unless stated.</summary>
public readonly record struct CleaningCounts
{
    /// <summary>Sequences replaced because they were one character read in a wrong encoding.</summary>
    public int Mojibake { get; init; }

    /// <summary>Control characters removed or replaced: all of C0 but tab and line feed, DEL, C1; an escape sequence of a terminal counts once.</summary>
    public int Controls { get; init; }

    /// <summary>Zero-width characters, soft hyphens, inner byte order marks and hidden tag characters removed.</summary>
    public int ZeroWidth { get; init; }

    /// <summary>Marks of writing direction removed from text that has no letter written from right to left.</summary>
    public int DirectionMarks { get; init; }

    /// <summary>Code points that Unicode reserves as noncharacters, removed.</summary>
    public int Noncharacters { get; init; }

    /// <summary>Private-use code points found; removed unless the options keep them.</summary>
    public int PrivateUse { get; init; }

    /// <summary>Halves of surrogate pairs without their other half, removed.</summary>
    public int LoneSurrogates { get; init; }

    /// <summary>Replacement characters U+FFFD found. They stay: each marks a loss that cleaning cannot undo.</summary>
    public int ReplacementCharacters { get; init; }

    /// <summary>Line ends other than a line feed turned into one (CR LF, CR, vertical tab, form feed, U+2028, U+2029).</summary>
    public int LineEnds { get; init; }

    /// <summary>No-break spaces turned into blanks.</summary>
    public int NoBreakSpaces { get; init; }

    /// <summary>Blanks removed at ends of lines.</summary>
    public int TrailingBlanks { get; init; }

    /// <summary>Empty lines removed.</summary>
    public int BlankLines { get; init; }

    /// <summary>1 if normalisation form C changed the text.</summary>
    public int Composed { get; init; }

    /// <summary>Each count that is not 0, with a name for a report.</summary>
    internal IReadOnlyList<(string What, int Count)> Named => [.. (((string What, int Count)[])
    [
        ("mojibake", Mojibake), ("controls", Controls), ("zero_width", ZeroWidth), ("direction_marks", DirectionMarks), ("noncharacters", Noncharacters), ("private_use", PrivateUse),
        ("lone_surrogates", LoneSurrogates), ("line_ends", LineEnds), ("no_break_spaces", NoBreakSpaces), ("trailing_blanks", TrailingBlanks), ("blank_lines", BlankLines), ("composed", Composed),
    ]).Where(c => c.Count > 0)];

    /// <summary>Damage that a person would see in the text as it came: characters that stand where a letter was or cut a word in two.</summary>
    public int Damage => Controls + ZeroWidth + DirectionMarks + Noncharacters + PrivateUse + LoneSurrogates + ReplacementCharacters;
}
