using System.Net;

namespace Hadal.Data.Privacy;

/// <summary>IP addresses of version 6.</summary>
internal static class Ipv6Scan
{
    private const int Longest = 45, FewestGroups = 3;

    internal static void Find(ReadOnlySpan<char> text, bool withPrivate, List<PrivateSpan> spans)
    {
        for (int position = 0; position < text.Length;)
        {
            int colon = text[position..].IndexOf(':');
            if (colon < 0) return;
            colon += position;
            int start = colon, end = colon;
            while (start > position && IsPart(text[start - 1])) start--;
            while (end < text.Length && IsPart(text[end])) end++;
            position = end;
            // A full stop or colon ends the sentence, not the address.
            while (end > start && text[end - 1] == '.') end--;
            if (end > start + 1 && text[end - 1] == ':' && text[end - 2] != ':') end--;
            bool alone = (start == 0 || !IsNameCharacter(text[start - 1])) && (end == text.Length || !IsNameCharacter(text[end]));
            if (alone && IsAddress(text[start..end], withPrivate)) spans.Add(new PrivateSpan(start, end, PrivateKind.Ip));
        }
    }

    private static bool IsPart(char c) => char.IsAsciiHexDigit(c) || c is ':' or '.';

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    private static bool IsAddress(ReadOnlySpan<char> token, bool withPrivate)
    {
        if (token.Length is < 6 or > Longest || token.Count(':') < 2 || !token.ContainsAnyInRange('0', '9')) return false;
        int groups = 0;
        for (int i = 0; i < token.Length; i++)
            if (token[i] != ':' && (i == 0 || token[i - 1] == ':')) groups++;
        if (groups < FewestGroups || !IPAddress.TryParse(token, out IPAddress? address)) return false;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        // Global unicast, but for 2001:db8 of documents.
        bool isPublic = (bytes[0] & 0xE0) == 0x20 && !(bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0D && bytes[3] == 0xB8);
        return isPublic || withPrivate;
    }
}
