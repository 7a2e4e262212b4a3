using System.Text;

namespace Hadal.Data.Decontamination;

/// <summary>Cuts stretches out of a text.</summary>
internal static class ContaminationCut
{
    // How far a cut may move outwards so that it does not part a word.
    private const int LongestWord = 64;

    /// <summary>What remains between the stretches and their windows, pieces parted by an empty line; null if no piece is long enough.</summary>
    public static string? Without(string text, IEnumerable<(int Start, int End)> stretches, ContaminationRules rules)
    {
        var rest = new StringBuilder();
        int kept = 0;
        foreach (var (start, end) in stretches.OrderBy(s => s.Start).ThenBy(s => s.End))
        {
            int from = Before(text, Math.Max(0, start - rules.Window)), to = After(text, (int)Math.Min(text.Length, end + (long)rules.Window));
            if (from > kept) Append(rest, text.AsSpan(kept, from - kept), rules);
            kept = Math.Max(kept, to);
        }

        Append(rest, text.AsSpan(kept), rules);
        return rest.Length == 0 ? null : rest.ToString();
    }

    private static void Append(StringBuilder rest, ReadOnlySpan<char> piece, ContaminationRules rules)
    {
        piece = piece.Trim();
        if (piece.IsEmpty || piece.Length < rules.MinPiece) return;
        if (rest.Length > 0) rest.Append("\n\n");
        rest.Append(piece);
    }

    private static int Before(string text, int at)
    {
        int least = Math.Max(0, at - LongestWord);
        for (int i = at; i > least; i--)
        {
            if (char.IsWhiteSpace(text[i - 1])) return i;
        }

        return at > 0 && at < text.Length && char.IsLowSurrogate(text[at]) ? at - 1 : at;
    }

    private static int After(string text, int at)
    {
        int most = Math.Min(text.Length, at + LongestWord);
        for (int i = at; i < most; i++)
        {
            if (char.IsWhiteSpace(text[i])) return i;
        }

        return at < text.Length && char.IsLowSurrogate(text[at]) ? at + 1 : at;
    }
}
