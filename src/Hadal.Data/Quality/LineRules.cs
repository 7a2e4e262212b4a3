using System.Buffers;
using System.Text;

namespace Hadal.Data.Quality;

/// <summary>Removes the lines that rules on lines name.</summary>
internal static class LineRules
{
    private static readonly SearchValues<string> _policy = SearchValues.Create(
        ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies", "使用cookie", "cookieを使用", "隐私政策", "プライバシーポリシー",
            "política de privacidad", "uso de cookies", "utilizamos cookies"],
        StringComparison.OrdinalIgnoreCase);

    /// <summary>The text without them; the same object if there are none.</summary>
    public static string Clean(string text, TextForm form, QualityRules rules, out int removed)
    {
        removed = 0;
        bool web = rules.RemoveUnendedLines || rules.MinLineWords > 0 || rules.MaxLineWordLength is not null || rules.RemoveScriptLines || rules.RemovePolicyLines;
        if (!web && !rules.RemoveBoilerplate) return text;
        StringBuilder? kept = null;
        int done = 0;
        for (int start = 0; start < text.Length;)
        {
            int length = text.AsSpan(start).IndexOf('\n');
            int next = length < 0 ? text.Length : start + length + 1;
            ReadOnlySpan<char> whole = text.AsSpan(start, (length < 0 ? text.Length : start + length) - start), line = whole.Trim();
            if (line.Length > 0 && (rules.RemoveBoilerplate && BoilerplateLines.IsOne(whole, line, form) || web && IsBad(line, form, rules)))
            {
                kept ??= new StringBuilder(text.Length);
                kept.Append(text, done, start - done);
                done = next;
                removed++;
            }

            start = next;
        }

        if (kept is null) return text;
        kept.Append(text, done, text.Length - done);

        // Empty lines that parted the removed ones from the text would be left at its ends.
        string rest = kept.ToString();
        int first = 0;
        while (rest.AsSpan(first).IndexOf('\n') is >= 0 and var end && rest.AsSpan(first, end).IsWhiteSpace()) first += end + 1;
        return rest[first..].TrimEnd();
    }

    private static bool IsBad(ReadOnlySpan<char> line, TextForm form, QualityRules rules)
    {
        if (rules.RemoveUnendedLines && (!LineEnds.EndsSentence(line) || LineEnds.IsEllipsis(line))) return true;
        if (rules.MinLineWords is not null || rules.MaxLineWordLength is not null)
        {
            var (words, longest) = Words(line, form);
            if (words < rules.MinLineWords) return true;
            if (form is not TextForm.Unspaced && longest > rules.MaxLineWordLength) return true;
        }

        return rules.RemoveScriptLines && line.Contains("javascript", StringComparison.OrdinalIgnoreCase) || rules.RemovePolicyLines && line.ContainsAny(_policy);
    }

    private static (int Words, int Longest) Words(ReadOnlySpan<char> line, TextForm form)
    {
        CharacterClass[] classes = CharacterClasses.Table;
        int words = 0, longest = 0, length = 0;
        foreach (char c in line)
        {
            switch (classes[c])
            {
                case CharacterClass.Blank:
                    length = 0;
                    break;
                case CharacterClass.Ideograph or CharacterClass.FrequentIdeograph when form is TextForm.Unspaced:
                    words++;
                    length = 0;
                    break;
                default:
                    if (length++ == 0) words++;
                    longest = Math.Max(longest, length);
                    break;
            }
        }

        return (words, longest);
    }
}
