namespace Hadal.Data.Languages;

/// <summary>Finds out whether a text is code and in which language, by the shape of its lines: how many end, start or are built as lines of code are, and what markers they hold.</summary>
internal static class CodeShape
{
    // Of a line as much as decides.
    private const int LongestLine = 240;
    private const double LeastCode = 0.3, LeastScore = 0.2, CertainScore = 10;
    private const int FewestPoints = 3;

    private static readonly int _c = Array.IndexOf(CodeMarkers.Languages, "c"), _cpp = Array.IndexOf(CodeMarkers.Languages, "cpp"),
        _javaScript = Array.IndexOf(CodeMarkers.Languages, "javascript"), _typeScript = Array.IndexOf(CodeMarkers.Languages, "typescript"),
        _html = Array.IndexOf(CodeMarkers.Languages, "html"), _xml = Array.IndexOf(CodeMarkers.Languages, "xml"), _yaml = Array.IndexOf(CodeMarkers.Languages, "yaml"),
        _css = Array.IndexOf(CodeMarkers.Languages, "css"), _json = Array.IndexOf(CodeMarkers.Languages, "json");

    /// <summary>The language of a text that is code, null for all other text.</summary>
    internal static LanguageGuess? Find(ReadOnlySpan<char> text)
    {
        if (Declared(text.TrimStart()) is { } declared) return new LanguageGuess("code:" + declared, 1);
        Span<float> scores = stackalloc float[CodeMarkers.Languages.Length];
        Tally tally = Score(text, scores);
        if (tally.Lines == 0) return null;
        // TypeScript is JavaScript with types, C++ is C with classes: what speaks for the smaller language speaks for the larger one once that shows itself.
        if (scores[_typeScript] >= Math.Max(2, 0.1 * scores[_javaScript])) scores[_typeScript] += scores[_javaScript];
        if (scores[_cpp] >= Math.Max(3, 0.2 * scores[_c])) scores[_cpp] += scores[_c];
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
            if (scores[i] > scores[best]) best = i;
        double share = (double)tally.CodeLines / tally.Lines;
        bool markup = best == _html || best == _xml || best == _css || best == _json || best == _yaml;
        bool isCode = scores[best] >= Math.Max(FewestPoints, LeastScore * tally.Lines) && share >= LeastCode;
        // Short files with a mark that nothing else has: a shebang, a declaration of XML.
        isCode |= tally.Certain && share >= LeastCode / 2;
        // Tags and keys among sentences are what is left over from a page, or a list.
        if (markup && share < 2 * LeastCode) isCode = false;
        return isCode ? new LanguageGuess("code:" + CodeMarkers.Languages[best], share) : null;
    }

    /// <summary>Whether a C header is one of C++.</summary>
    internal static bool IsCpp(ReadOnlySpan<char> text)
    {
        Span<float> scores = stackalloc float[CodeMarkers.Languages.Length];
        Score(text, scores);
        return scores[_cpp] >= Math.Max(3, 0.2 * scores[_c]);
    }

    /// <summary>What the first line says outright.</summary>
    private static string? Declared(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) return null;
        if (text[0] == '<')
        {
            if (text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)) return "html";
            return text.StartsWith("<?xml ") || text.StartsWith("<svg ") ? "xml" : text.StartsWith("<?php") ? "php" : null;
        }

        if (!text.StartsWith("#!")) return null;
        int end = text.IndexOf('\n');
        ReadOnlySpan<char> line = end < 0 ? text : text[..end];
        foreach ((string program, string language) in (ReadOnlySpan<(string, string)>)[("python", "python"), ("bash", "shell"), ("/sh", "shell"), ("env sh", "shell"), ("zsh", "shell"), ("node", "javascript"), ("perl", "perl"), ("ruby", "ruby"), ("php", "php")])
            if (line.Contains(program, StringComparison.Ordinal)) return language;
        return null;
    }

    /// <summary>Comments are prose in code, headings and bullets of prose look the same: neither speaks for code or against it.</summary>
    private static bool IsComment(ReadOnlySpan<char> line) => line.StartsWith("//") || line.StartsWith("/*") || line.StartsWith("# ") || line.StartsWith("* ") || line is "*" or "*/" or "#";

    private static Tally Score(ReadOnlySpan<char> text, Span<float> scores)
    {
        scores.Clear();
        int lines = 0, code = 0;
        bool certain = false, fenced = false;
        foreach (Range range in text.Split('\n'))
        {
            ReadOnlySpan<char> whole = text[range].Trim();
            // Code between fences is quoted in prose (Markdown).
            if (whole.StartsWith("```")) fenced = !fenced;
            if (fenced || whole.IsEmpty) continue;
            bool comment = IsComment(whole);
            if (!comment) lines++;
            ReadOnlySpan<char> line = whole.Length > LongestLine ? whole[..LongestLine] : whole;
            float points = Mark(line, whole, scores, out bool sure);
            certain |= sure;
            if (YamlKey(whole))
            {
                scores[_yaml] += 1;
                points += 1;
            }

            if (comment) continue;
            if (points >= 2 || (points >= 1 && whole.Length < LongestLine) || LooksLikeCode(whole)) code++;
        }

        return new Tally(lines, code, certain);
    }

    private static float Mark(ReadOnlySpan<char> line, ReadOnlySpan<char> whole, Span<float> scores, out bool certain)
    {
        float most = 0;
        char first = line[0];
        if (first < 128)
        {
            foreach (CodeMarker marker in CodeMarkers.Starts[first])
            {
                if (!line.StartsWith(marker.Text) || !whole.EndsWith(marker.Ending) || !line.Contains(marker.Then, StringComparison.Ordinal) || (marker.Place == MarkerPlace.Whole && whole.Length != marker.Text.Length)) continue;
                scores[marker.Language] += marker.Weight;
                most = Math.Max(most, marker.Weight);
            }
        }

        UInt128 letters = CodeMarker.LettersOf(line);
        foreach (CodeMarker marker in CodeMarkers.Others)
        {
            if ((marker.Letters & ~letters) != 0) continue;
            bool found = marker.Place == MarkerPlace.End ? whole.EndsWith(marker.Text) : line.Contains(marker.Text, StringComparison.Ordinal) && whole.EndsWith(marker.Ending);
            if (!found) continue;
            scores[marker.Language] += marker.Weight;
            most = Math.Max(most, marker.Weight);
        }

        certain = most >= CertainScore;
        return most;
    }

    /// <summary>A line that ends or starts as statements do, or calls or assigns something. Of prose hardly a line is like that.</summary>
    private static bool LooksLikeCode(ReadOnlySpan<char> line)
    {
        if (line[^1] is '{' or '}' or ';' or '(' or '[' or '\\') return true;
        if (line[0] is '}' or ')' or ']' or '@') return line.Length < LongestLine;
        if (line.EndsWith("):") || line.EndsWith("),") || line.EndsWith("])") || line.EndsWith("()") || line.EndsWith("},")) return true;
        int name = 0;
        while (name < line.Length && (char.IsAsciiLetterOrDigit(line[name]) || line[name] is '_' or '.')) name++;
        if (name == 0 || name == line.Length) return false;
        ReadOnlySpan<char> rest = line[name..];
        return rest[0] == '(' || (rest.StartsWith(" = ") && name > 2 && rest.Length > 3 && !char.IsAsciiDigit(line[0]) && !char.IsAsciiDigit(rest[3])) || rest.StartsWith(" += ") || rest.StartsWith(" == ");
    }

    /// <summary>A key in small letters without a blank in it, a colon, and a blank or nothing.</summary>
    private static bool YamlKey(ReadOnlySpan<char> line)
    {
        if (line.StartsWith("- ")) line = line[2..].TrimStart();
        if (line.IsEmpty || !char.IsAsciiLetterLower(line[0]) || line[^1] is ';' or ',' or '{') return false;
        int end = 1;
        while (end < line.Length && (char.IsAsciiLetterOrDigit(line[end]) || line[end] is '_' or '-' or '.' or '/')) end++;
        return end < line.Length && line[end] == ':' && (end + 1 == line.Length || line[end + 1] == ' ');
    }

    private readonly record struct Tally(int Lines, int CodeLines, bool Certain);
}
