using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Hadal.Data.Sources.Text;

/// <summary>Which encoding bytes are in, and text out of them.</summary>
internal static class TextEncodings
{
    /// <summary>So many bytes from the front decide about an encoding.</summary>
    public const int SampleBytes = 1 << 20;

    /// <exception cref="DataException">No encoding has this name.</exception>
    public static Encoding Find(string name) =>
        TryFind(name) ?? throw new DataException($"No encoding is called '{name}'; give an IANA name such as windows-1252, shift_jis, euc-jp, gb18030 or big5.");

    /// <summary>The encoding of an IANA name, null for none. UTF-7, by which markup can be hidden, is none.</summary>
    public static Encoding? TryFind(string name)
    {
        name = name.Trim().Trim('"', '\'');
        try
        {
            // What pages call ISO 8859-1 is read as Windows-1252 everywhere (WHATWG Encoding Standard, section 4.2).
            if (name.Equals("iso-8859-1", StringComparison.OrdinalIgnoreCase) || name.Equals("us-ascii", StringComparison.OrdinalIgnoreCase)) name = "windows-1252";
            Encoding? encoding = CodePagesEncodingProvider.Instance.GetEncoding(name);
            encoding ??= Encoding.GetEncoding(name, EncoderFallback.ReplacementFallback, DecoderFallback.ReplacementFallback);
            return encoding.CodePage == 65000 ? null : encoding;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>The encoding that a byte order mark at the front means and the mark's length; null without one.</summary>
    public static (Encoding Encoding, int Length)? ByteOrderMark(ReadOnlySpan<byte> front)
    {
        if (front.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) return (Encoding.UTF8, 3);
        if (front.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE, 0, 0])) return (Encoding.UTF32, 4);
        if (front.StartsWith((ReadOnlySpan<byte>)[0, 0, 0xFE, 0xFF])) return (new UTF32Encoding(bigEndian: true, byteOrderMark: false), 4);
        if (front.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])) return (Encoding.Unicode, 2);
        return front.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? (Encoding.BigEndianUnicode, 2) : null;
    }

    /// <summary>Whether a sample from the front is UTF-8; where it fills its size, its last character may be cut off.</summary>
    public static bool LooksLikeUtf8(ReadOnlySpan<byte> front)
    {
        if (front.Length < SampleBytes) return Utf8.IsValid(front);
        int last = front.Length - 1;
        while (last > front.Length - 4 && (front[last] & 0xC0) == 0x80) last--;
        return Utf8.IsValid(front) || (front[last] >= 0xC0 && Utf8.IsValid(front[..last]));
    }

    /// <summary>
    /// The stream as UTF-8 without a byte order mark: as it is, or converted from the encoding of its mark or, where its front is no UTF-8, from the fallback.
    /// </summary>
    public static Stream AsUtf8(Stream stream, string? fallback)
    {
        byte[] front = new byte[fallback is null ? 4 : SampleBytes];
        int read = stream.ReadAtLeast(front, front.Length, throwOnEndOfStream: false);
        (Encoding Encoding, int Length)? mark = ByteOrderMark(front.AsSpan(0, read));
        int skip = mark?.Length ?? 0;
        Stream whole = new PrefixedStream(front.AsMemory(skip, read - skip), stream);
        Encoding encoding = mark?.Encoding ?? (fallback is not null && !LooksLikeUtf8(front.AsSpan(0, read)) ? Find(fallback) : Encoding.UTF8);
        return encoding.CodePage == Encoding.UTF8.CodePage ? whole : Encoding.CreateTranscodingStream(whole, encoding, new UTF8Encoding(false));
    }

    /// <summary>The text of bytes that should be UTF-8, with what is invalid as U+FFFD.</summary>
    /// <param name="bytes">The text as UTF-8.</param>
    /// <param name="invalid">How many sequences were replaced.</param>
    public static string Decode(ReadOnlySpan<byte> bytes, out long invalid)
    {
        invalid = 0;
        if (!Utf8.IsValid(bytes))
        {
            ReadOnlySpan<byte> rest = bytes;
            while (!rest.IsEmpty)
            {
                // Valid runs are passed at a time, so that one bad byte in a long text costs little.
                if (rest[0] < 0x80)
                {
                    int ascii = rest.IndexOfAnyInRange((byte)0x80, (byte)0xFF);
                    if (ascii < 0) break;
                    rest = rest[ascii..];
                }

                if (Rune.DecodeFromUtf8(rest, out _, out int consumed) != OperationStatus.Done) invalid++;
                rest = rest[consumed..];
            }
        }

        return Encoding.UTF8.GetString(bytes);
    }
}
