namespace Hadal.Data.Quality;

/// <summary>How lines begin and end. Lines come without blanks at their ends.</summary>
internal static class LineEnds
{
    /// <summary>Whether the line begins with a bullet; the signs that are also dashes and operators count before a blank only.</summary>
    public static bool IsBullet(ReadOnlySpan<char> line) =>
        line.Length > 0 && (line[0] is '•' or '‣' or '▪' or '●' or '○' or '◦' or '■' or '□' or '◆' or '▶' or '►' or '・'
            || line.Length > 1 && line[0] is '-' or '*' or '+' or '·' && line[1] == ' ');

    /// <summary>Whether the line ends in an ellipsis.</summary>
    public static bool IsEllipsis(ReadOnlySpan<char> line) => line.Length > 0 && (line[^1] == '…' || line.EndsWith("...", StringComparison.Ordinal));

    /// <summary>Whether the line ends as a sentence does: with a full stop, question mark, exclamation mark or a quote or bracket that closes one, in any of the scripts.</summary>
    public static bool EndsSentence(ReadOnlySpan<char> line) => line.Length > 0 && line[^1] is '.' or '!' or '?' or '"' or '\'' or '”' or '’' or '»' or '…'
        or '。' or '！' or '？' or '｡' or '．' or '」' or '』' or '؟' or '۔' or '।';
}
