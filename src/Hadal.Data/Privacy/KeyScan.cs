using System.Buffers;

namespace Hadal.Data.Privacy;

/// <summary>Secret keys that show what they are: tokens of services by their prefix and length, JSON web tokens, private keys in PEM.</summary>
internal static class KeyScan
{
    private const int LongestPem = 16 * 1024, LongestToken = 4096;
    private const string PemStart = "-----BEGIN ", PemEnd = "-----END ", PemKey = "PRIVATE KEY-----", Jwt = "eyJ";

    // Prefix, fewest and most characters after it, whether dashes and underscores belong to them.
    private static readonly TokenShape[] _shapes =
    [
        new("AKIA", 16, 16, false, true), new("ASIA", 16, 16, false, true),
        new("ghp_", 36, 255, false), new("gho_", 36, 255, false), new("ghu_", 36, 255, false), new("ghs_", 36, 255, false), new("ghr_", 36, 255, false), new("github_pat_", 22, 255, true),
        new("glpat-", 20, 64, true), new("xoxb-", 20, 255, true), new("xoxp-", 20, 255, true), new("xoxa-", 20, 255, true), new("xoxr-", 20, 255, true), new("xoxs-", 20, 255, true),
        new("sk_live_", 24, 255, false), new("rk_live_", 24, 255, false), new("sk-", 32, 255, true), new("AIza", 35, 35, true), new("hf_", 34, 40, false), new("npm_", 36, 36, false),
        new("ya29.", 20, 512, true),
    ];

    private static readonly SearchValues<string> _starts = SearchValues.Create([PemStart, Jwt, .. _shapes.Select(static shape => shape.Prefix)], StringComparison.Ordinal);

    internal static void Find(ReadOnlySpan<char> text, List<PrivateSpan> spans)
    {
        // The first end of a private key from where it was last looked for, so that many beginnings without one are looked at once.
        int nextPemEnd = -1;
        for (int position = 0; position < text.Length;)
        {
            int found = text[position..].IndexOfAny(_starts);
            if (found < 0) return;
            int start = position + found;
            int end = text[start] == '-' ? EndOfPem(text, start, ref nextPemEnd) : start > 0 && IsToken(text[start - 1], true) ? -1 : EndOfToken(text, start);
            if (end > 0) spans.Add(new PrivateSpan(start, end, PrivateKind.Key));
            position = end > 0 ? end : start + 1;
        }
    }

    private static bool IsToken(char c, bool dashes) => char.IsAsciiLetterOrDigit(c) || (dashes && c is '-' or '_');

    private static int EndOfToken(ReadOnlySpan<char> text, int start)
    {
        ReadOnlySpan<char> rest = text[start..];
        if (rest.StartsWith(Jwt)) return EndOfJwt(text, start);
        foreach (TokenShape shape in _shapes)
        {
            if (!rest.StartsWith(shape.Prefix)) continue;
            int end = shape.Prefix.Length;
            bool digit = false, letter = false, small = false;
            while (end < rest.Length && end - shape.Prefix.Length <= shape.Most && IsToken(rest[end], shape.Dashes))
            {
                digit |= char.IsAsciiDigit(rest[end]);
                letter |= char.IsAsciiLetter(rest[end]);
                small |= char.IsAsciiLetterLower(rest[end]);
                end++;
            }

            int length = end - shape.Prefix.Length;
            bool fits = length >= shape.Fewest && length <= shape.Most && (end == rest.Length || !IsToken(rest[end], false));
            // Random characters of this length hold digits and letters; names in dashes do not.
            if (fits && letter && digit && (!shape.Capitals || !small)) return start + end;
        }

        return -1;
    }

    private static int EndOfJwt(ReadOnlySpan<char> text, int start)
    {
        const int fewest = 10;
        int position = start;
        for (int part = 0; part < 3; part++)
        {
            if (part == 1 && !text[position..].StartsWith(Jwt)) return -1;
            int from = position;
            int limit = Math.Min(text.Length, start + LongestToken);
            while (position < limit && IsToken(text[position], true)) position++;
            if (position - from < fewest) return -1;
            if (part < 2 && (position >= limit || text[position++] != '.')) return -1;
        }

        return position;
    }

    private static int EndOfPem(ReadOnlySpan<char> text, int start, ref int nextEnd)
    {
        const int longestName = 32;
        int name = start + PemStart.Length;
        int key = text.Slice(name, Math.Min(longestName + PemKey.Length, text.Length - name)).IndexOf(PemKey);
        if (key < 0) return -1;
        int body = name + key + PemKey.Length;
        if (nextEnd < body && nextEnd != int.MaxValue)
        {
            int end = text[body..].IndexOf(PemEnd);
            nextEnd = end < 0 ? int.MaxValue : body + end;
        }

        if (nextEnd != int.MaxValue && nextEnd - body <= LongestPem)
        {
            int after = nextEnd + PemEnd.Length;
            int close = text.Slice(after, Math.Min(longestName + PemKey.Length, text.Length - after)).IndexOf(PemKey);
            if (close >= 0) return after + close + PemKey.Length;
        }

        // Cut off: the lines of base 64 that are there.
        int position = body;
        while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] is '+' or '/' or '=' or '\n' or '\r')) position++;
        return position;
    }

    private readonly record struct TokenShape(string Prefix, int Fewest, int Most, bool Dashes, bool Capitals = false);
}
