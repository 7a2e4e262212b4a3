using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Hadal.Data.Sources.Packing;

namespace Hadal.Data.Sources.WebArchives;

/// <summary>Takes the body of an HTTP answer out of its chunks (RFC 9112, section 7.1) and its packing (RFC 9110, section 8.4).</summary>
/// <param name="maximumBytes">The longest body.</param>
internal sealed class HttpBody(int maximumBytes)
{
    private const int MaximumCodings = 3;

    /// <summary>What is wrong with a body that was longer than allowed.</summary>
    public string TooLong { get; } = string.Create(CultureInfo.InvariantCulture, $"the page is longer than {maximumBytes} bytes");

    /// <summary>The body; null if it is too long. What crawlers unpacked already is taken as it is, whatever the head says.</summary>
    /// <param name="body">The bytes after the head.</param>
    /// <param name="transfer">The transfer encodings, or null.</param>
    /// <param name="content">The content encodings, or null.</param>
    /// <param name="repair">What is missing of the body, or null.</param>
    public ReadOnlyMemory<byte>? Decode(ReadOnlyMemory<byte> body, string? transfer, string? content, out string? repair)
    {
        repair = null;
        if (transfer is not null && transfer.Contains("chunked", StringComparison.OrdinalIgnoreCase)) body = Join(body, ref repair);
        string[] codings = content?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        for (int i = codings.Length - 1; i >= Math.Max(0, codings.Length - MaximumCodings); i--)
        {
            if (Unpack(body, codings[i].ToLowerInvariant(), ref repair) is not { } unpacked) return null;
            body = unpacked;
        }

        return body.Length > maximumBytes ? null : body;
    }

    private static ReadOnlyMemory<byte> Join(ReadOnlyMemory<byte> body, ref string? repair)
    {
        ReadOnlySpan<byte> rest = body.Span;
        byte[]? joined = null;
        int length = 0;
        while (true)
        {
            int end = rest[..Math.Min(rest.Length, 1024)].IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? [] : rest[..end];
            int extension = line.IndexOf((byte)';');
            if (!int.TryParse((extension < 0 ? line : line[..extension]).Trim(" \t\r"u8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int size) || size < 0)
            {
                if (joined is null) return body;
                repair = "its chunks end too early";
                break;
            }

            joined ??= new byte[body.Length];
            rest = rest[(end + 1)..];
            if (size == 0) break;
            int there = Math.Min(size, rest.Length);
            rest[..there].CopyTo(joined.AsSpan(length));
            length += there;
            rest = rest[there..];
            if (rest.StartsWith("\r\n"u8)) rest = rest[2..];
            else if (rest.StartsWith("\n"u8)) rest = rest[1..];
        }

        return joined.AsMemory(0, length);
    }

    private ReadOnlyMemory<byte>? Unpack(ReadOnlyMemory<byte> body, string coding, ref string? repair)
    {
        ReadOnlySpan<byte> front = body.Span;
        bool zlib = front.Length > 2 && (front[0] & 15) == 8 && ((front[0] << 8) | front[1]) % 31 == 0;
        using MemoryStream source = MemoryMarshal.TryGetArray(body, out ArraySegment<byte> bytes) ? new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false) : new MemoryStream(body.ToArray(), writable: false);
        using Stream? unpacker = coding switch
        {
            "gzip" or "x-gzip" when front.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) => new GZipStream(source, CompressionMode.Decompress),
            "deflate" when zlib => new ZLibStream(source, CompressionMode.Decompress),
            "deflate" when !LooksLikeText(front) => new DeflateStream(source, CompressionMode.Decompress),
            "br" when !LooksLikeText(front) => new BrotliInput(source),
            "zstd" when front.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) => new ZstdSharp.DecompressionStream(source),
            _ => null,
        };
        if (unpacker is null) return body;
        byte[] unpacked = new byte[Math.Min(Math.Max(4096, body.Length * 4L), maximumBytes + 1L)];
        int length = 0;
        try
        {
            while (unpacker.Read(unpacked, length, unpacked.Length - length) is var read and > 0)
            {
                length += read;
                if (length > maximumBytes) return null;
                if (length == unpacked.Length) Array.Resize(ref unpacked, (int)Math.Min(unpacked.Length * 2L, maximumBytes + 1L));
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
        {
            repair = $"its {coding} data are damaged or end too early";
        }

        return unpacked.AsMemory(0, length);
    }

    // Pages that were unpacked when they were stored begin with a mark, a tag or blanks.
    private static bool LooksLikeText(ReadOnlySpan<byte> front)
    {
        front = front.TrimStart((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]).TrimStart(" \t\r\n"u8);
        return front.StartsWith((byte)'<') && Ascii.IsValid(front[..Math.Min(front.Length, 16)]);
    }
}
