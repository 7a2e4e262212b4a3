using System.Text;
using Hadal.Data.Sources.Text;

namespace Hadal.Data.Sources.Pages;

/// <summary>The characters of a page's bytes, by its byte order mark, by what the server said, by what it says itself, else as UTF-8.</summary>
internal static class PageEncoding
{
    // The standard looks at 1024 bytes; pages with long scripts at the front say it later.
    private const int Looked = 4096;
    private static readonly System.Buffers.SearchValues<byte> _ends = System.Buffers.SearchValues.Create(" \t\r\n\f\"'>;/"u8);

    /// <summary>Decodes a page.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="declared">The encoding that the server named, or null.</param>
    /// <param name="fallback">The encoding of pages that name none and are not UTF-8, or null for UTF-8 with U+FFFD for what is invalid.</param>
    /// <param name="repair">What was replaced, as a part of a sentence; null if nothing was.</param>
    public static string Decode(ReadOnlySpan<byte> bytes, string? declared, string? fallback, out string? repair)
    {
        (Encoding Encoding, int Length)? mark = TextEncodings.ByteOrderMark(bytes);
        if (mark is { } found) bytes = bytes[found.Length..];
        Encoding? encoding = mark?.Encoding ?? Named(declared) ?? Meta(bytes[..Math.Min(bytes.Length, Looked)]);
        if (encoding is null && fallback is not null && !TextEncodings.LooksLikeUtf8(bytes[..Math.Min(bytes.Length, TextEncodings.SampleBytes)])) encoding = TextEncodings.Find(fallback);
        repair = null;
        if (encoding is null or { CodePage: 65001 })
        {
            string text = TextEncodings.Decode(bytes, out long invalid);
            if (invalid > 0) repair = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"it is not valid UTF-8 in {invalid} places; U+FFFD stands for what is invalid");
            return text;
        }

        string decoded = encoding.GetString(bytes);
        if (decoded.Contains('\uFFFD', StringComparison.Ordinal)) repair = $"it is not valid {encoding.WebName}; U+FFFD stands for what is invalid";
        return decoded;
    }

    private static Encoding? Named(string? name)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > 40) return null;
        return name.Trim().ToLowerInvariant() switch
        {
            "utf8" => Encoding.UTF8,
            "sjis" or "x-sjis" or "shift-jis" => TextEncodings.TryFind("shift_jis"),
            _ => TextEncodings.TryFind(name),
        };
    }

    // "charset=" inside a <meta>; a page that could be read so far is in no UTF-16, whatever it says.
    private static Encoding? Meta(ReadOnlySpan<byte> front)
    {
        while (true)
        {
            int at = front.IndexOf("charset"u8);
            if (at < 0) at = front.IndexOf("CHARSET"u8);
            if (at < 0) return null;
            bool inMeta = front[..at].LastIndexOf((byte)'<') is >= 0 and var tag && Ascii.EqualsIgnoreCase(front.Slice(tag + 1, Math.Min(4, at - tag - 1)), "meta"u8);
            ReadOnlySpan<byte> rest = front[(at + 7)..].TrimStart(" \t\r\n\f"u8);
            if (inMeta && rest.StartsWith((byte)'='))
            {
                rest = rest[1..].TrimStart(" \t\r\n\f\"'"u8);
                int end = rest.IndexOfAny(_ends);
                Encoding? named = Named(Encoding.ASCII.GetString(end < 0 ? rest : rest[..end]));
                return named is { CodePage: 1200 or 1201 or 12000 or 12001 } ? Encoding.UTF8 : named;
            }

            front = front[(at + 7)..];
        }
    }
}
