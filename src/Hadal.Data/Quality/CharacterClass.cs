namespace Hadal.Data.Quality;

/// <summary>What a UTF-16 code unit is to the rules.</summary>
internal enum CharacterClass : byte
{
    /// <summary>White space but the line feed.</summary>
    Blank,

    /// <summary>The line feed.</summary>
    LineEnd,

    /// <summary>A letter that is no capital, of a script that parts words by blanks.</summary>
    Letter,

    /// <summary>A capital.</summary>
    Capital,

    /// <summary>A digit or other number.</summary>
    Digit,

    /// <summary>A letter of a script without blanks: a word of its own.</summary>
    Ideograph,

    /// <summary>An ideograph that is frequent in ordinary text.</summary>
    FrequentIdeograph,

    /// <summary>A mark that belongs to the letter before it, or a joiner.</summary>
    Mark,

    /// <summary>Punctuation.</summary>
    Punctuation,

    /// <summary>A symbol.</summary>
    Symbol,

    /// <summary>What no clean text holds.</summary>
    Damage,

    /// <summary>Half of a character beyond the basic plane.</summary>
    Surrogate,
}
