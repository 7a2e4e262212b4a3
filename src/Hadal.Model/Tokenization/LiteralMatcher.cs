namespace Hadal.Model.Tokenization;

/// <summary>Finds a given text.</summary>
internal sealed class LiteralMatcher(string literal) : IPieceMatcher
{
    /// <inheritdoc/>
    public void FindAll(ReadOnlySpan<char> text, List<(int Start, int End)> matches)
    {
        for (int from = 0; ;)
        {
            int found = text[from..].IndexOf(literal, StringComparison.Ordinal);
            if (found < 0) return;
            matches.Add((from + found, from + found + literal.Length));
            from += found + literal.Length;
        }
    }
}
