namespace Hadal.Data.Quality;

/// <summary>What the rules are measured in.</summary>
internal enum TextForm
{
    /// <summary>Words between blanks.</summary>
    Spaced,

    /// <summary>Characters: the script has no blanks between words.</summary>
    Unspaced,

    /// <summary>Source code.</summary>
    Code,

    /// <summary>Mathematics in words and formulas.</summary>
    Math,
}
