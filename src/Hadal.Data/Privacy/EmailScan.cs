using System.Collections.Frozen;

namespace Hadal.Data.Privacy;

/// <summary>Mail addresses: a local part of at most 64 characters, an at sign, a name of a host with a top-level domain of letters.</summary>
internal static class EmailScan
{
    private const int LongestLocal = 64, LongestDomain = 253, LongestLabel = 63, LongestTop = 24;

    // What follows an at sign in names of files and is no top-level domain: icon@2x.png, package@1.0.tgz.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _fileEndings = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "css", "scss", "js", "mjs", "ts", "tsx", "jsx", "json", "html", "htm", "py", "txt", "tgz", "gz", "tar", "zip", "xml", "yml", "yaml", "whl", "jar", "dll", "exe", "so", "cpp", "hpp")
        .GetAlternateLookup<ReadOnlySpan<char>>();

    internal static void Find(ReadOnlySpan<char> text, List<PrivateSpan> spans)
    {
        for (int at = text.IndexOf('@'); at >= 0;)
        {
            int start = StartOfLocal(text, at), end = EndOfDomain(text, at + 1);
            if (start < at && end > 0 && text[start..at] is not "git")
            {
                spans.Add(new PrivateSpan(start, end, PrivateKind.Email));
                at = end - 1;
            }

            int next = text[(at + 1)..].IndexOf('@');
            at = next < 0 ? -1 : at + 1 + next;
        }
    }

    private static bool IsLocal(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '%' or '+' or '-';

    private static int StartOfLocal(ReadOnlySpan<char> text, int at)
    {
        int start = at;
        while (start > 0 && at - start <= LongestLocal && IsLocal(text[start - 1])) start--;
        if (at - start > LongestLocal) return at;
        while (start < at && !char.IsAsciiLetterOrDigit(text[start]) && text[start] != '_') start++;
        // A local part does not end in a full stop.
        return start < at && text[at - 1] == '.' ? at : start;
    }

    /// <summary>The end of the name of a host that starts here, or -1.</summary>
    private static int EndOfDomain(ReadOnlySpan<char> text, int start)
    {
        int end = -1, position = start, labels = 0, limit = Math.Min(text.Length, start + LongestDomain);
        while (position < limit)
        {
            int label = position;
            while (position < limit && (char.IsAsciiLetterOrDigit(text[position]) || text[position] == '-')) position++;
            int length = position - label;
            if (length is 0 or > LongestLabel || text[label] == '-') break;
            labels++;
            ReadOnlySpan<char> name = text[label..position];
            if (labels > 1)
            {
                int letters = 0;
                while (letters < name.Length && char.IsAsciiLetter(name[letters])) letters++;
                // The dash after an address is none of it; a dash and a number make a name of something else (sd_IN@devanagari.UTF-8).
                if (letters is >= 2 and <= LongestTop && (letters == name.Length || (name[letters] == '-' && !(letters + 1 < name.Length && char.IsAsciiDigit(name[letters + 1])))) && !_fileEndings.Contains(name[..letters])) end = label + letters;
                else if (name.StartsWith("xn--")) end = position;
                else end = -1;
            }

            if (position >= limit || text[position] != '.') break;
            position++;
        }

        // A name that goes on, or a method of an operand of a matrix product.
        return end > 0 && end < text.Length && text[end] is '_' or '(' or '@' ? -1 : end;
    }
}
