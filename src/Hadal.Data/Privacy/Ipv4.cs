namespace Hadal.Data.Privacy;

/// <summary>IP addresses of version 4.</summary>
internal static class Ipv4
{
    // How far before an address a word that makes it a version may stand.
    private const int Context = 24;

    private static readonly string[] _versionWords = ["version", "versión", "ver.", "release", "build", "section", "chapter", "§", "==", ">=", "<=", "~=", "版本", "バージョン"];

    /// <summary>The end of the address that starts here; the negative end of four numbers and dots that are something else; 0 where there is nothing of the kind.</summary>
    internal static int End(ReadOnlySpan<char> text, int start, bool withPrivate)
    {
        Span<int> parts = stackalloc int[4];
        int position = start;
        for (int i = 0; i < 4; i++)
        {
            int first = position, value = 0;
            while (position < text.Length && position - first < 3 && char.IsAsciiDigit(text[position])) value = value * 10 + text[position++] - '0';
            bool padded = position - first > 1 && text[first] == '0';
            if (position == first || value > 255 || padded) return 0;
            parts[i] = value;
            if (i < 3 && (position >= text.Length || text[position++] != '.')) return 0;
        }

        // Longer dotted numbers name objects, versions or sections.
        if (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] == '_')) return -SkipDotted(text, position);
        if (position + 1 < text.Length && text[position] is '.' or '-' && char.IsAsciiDigit(text[position + 1])) return -SkipDotted(text, position);
        if (start > 1 && text[start - 1] is '.' or '-' && char.IsAsciiLetterOrDigit(text[start - 2])) return -position;
        bool small = parts[0] < 10 && parts[1] < 10 && parts[2] < 10 && parts[3] < 10;
        if (small || IsVersion(text, start)) return -position;
        return withPrivate || IsPublic(parts) ? position : -position;
    }

    private static int SkipDotted(ReadOnlySpan<char> text, int position)
    {
        while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] is '.' or '_' or '-')) position++;
        return position;
    }

    private static bool IsVersion(ReadOnlySpan<char> text, int start)
    {
        // Product/1.2.3.4 is a version, ://1.2.3.4 is not.
        if (start > 1 && text[start - 1] == '/' && char.IsAsciiLetterOrDigit(text[start - 2])) return true;
        ReadOnlySpan<char> before = text[Math.Max(0, start - Context)..start];
        int line = before.LastIndexOf('\n');
        if (line >= 0) before = before[(line + 1)..];
        foreach (string word in _versionWords)
            if (before.Contains(word, StringComparison.OrdinalIgnoreCase)) return true;
        ReadOnlySpan<char> trimmed = before.TrimEnd();
        return trimmed.EndsWith(" v") || trimmed is "v" or "V";
    }

    private static bool IsPublic(ReadOnlySpan<int> parts) => (parts[0], parts[1], parts[2]) switch
    {
        (0 or 10 or 127 or >= 224, _, _) => false,
        (100, >= 64 and <= 127, _) => false,
        (169, 254, _) => false,
        (172, >= 16 and <= 31, _) => false,
        (192, 168, _) or (192, 0, 0 or 2) => false,
        (198, 18 or 19, _) or (198, 51, 100) or (203, 0, 113) => false,
        _ => true,
    };
}
