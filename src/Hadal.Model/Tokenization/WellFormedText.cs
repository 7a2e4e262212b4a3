namespace Hadal.Model.Tokenization;

/// <summary>
/// UTF-16 text without lone surrogates. They have no UTF-8 form; like the platform's own encoder, tokenization puts U+FFFD in their place, but before
/// cutting, so that the pieces are those of the text that comes out.
/// </summary>
internal static class WellFormedText
{
    /// <summary>The text with each lone surrogate replaced by U+FFFD, or null when there is none.</summary>
    internal static string? Repair(ReadOnlySpan<char> text)
    {
        int first = text.IndexOfAnyInRange('\uD800', '\uDFFF');
        if (first < 0) return null;
        char[]? copy = null;
        for (int i = first; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) i++;
            else (copy ??= text.ToArray())[i] = '\uFFFD';
        }

        return copy is null ? null : new string(copy);
    }
}
