using System.IO.Compression;

namespace Hadal.Data.Sources.Columnar;

/// <summary>Unpacks pages, numbered as Parquet's <c>CompressionCodec</c> is.</summary>
internal static class PageCodec
{
    public const int None = 0, Snappy = 1, Gzip = 2, Lzo = 3, Brotli = 4, Lz4Hadoop = 5, Zstandard = 6, Lz4 = 7;

    /// <summary>Fills the target exactly.</summary>
    /// <exception cref="InvalidDataException">The page is damaged, or packed in a way that is not read.</exception>
    public static void Unpack(int codec, byte[] packed, int start, int count, Span<byte> target)
    {
        ReadOnlySpan<byte> source = packed.AsSpan(start, count);
        bool whole = codec switch
        {
            None => Copy(source, target),
            Snappy => UnpackSnappy(source, target),
            Gzip => UnpackGzip(packed, start, count, target),
            Brotli => BrotliDecoder.TryDecompress(source, target, out int written) && written == target.Length,
            Zstandard => UnpackZstandard(source, target),
            Lz4 => UnpackLz4(source, target),
            Lzo => throw new InvalidDataException("it is packed with LZO, which is not read"),
            Lz4Hadoop => throw new InvalidDataException("it is packed with LZ4 in Hadoop's frames, which are not read"),
            _ => throw new InvalidDataException("it is packed in an unknown way"),
        };
        if (!whole) throw new InvalidDataException("a page does not unpack to the length that its header claims");
    }

    private static bool Copy(ReadOnlySpan<byte> source, Span<byte> target) => source.Length == target.Length && source.TryCopyTo(target);

    private static bool UnpackSnappy(ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (target.IsEmpty && source.IsEmpty) return true;
        try
        {
            return Snappier.Snappy.TryDecompress(source, target, out int written) && written == target.Length;
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException("a page does not unpack as Snappy", e);
        }
    }

    private static bool UnpackGzip(byte[] packed, int start, int count, Span<byte> target)
    {
        using var gzip = new GZipStream(new MemoryStream(packed, start, count, writable: false), CompressionMode.Decompress);
        return gzip.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) == target.Length && gzip.ReadByte() < 0;
    }

    private static bool UnpackZstandard(ReadOnlySpan<byte> source, Span<byte> target)
    {
        try
        {
            using var unpacker = new ZstdSharp.Decompressor();
            return unpacker.Unwrap(source, target) == target.Length;
        }
        catch (ZstdSharp.ZstdException e)
        {
            throw new InvalidDataException($"a page does not unpack as Zstandard ({e.Message})", e);
        }
    }

    // LZ4 block format: a token of two lengths, literals, then a copy of what was given already.
    private static bool UnpackLz4(ReadOnlySpan<byte> source, Span<byte> target)
    {
        int from = 0, to = 0;
        while (from < source.Length)
        {
            int token = source[from++];
            if (!Length(token >> 4, source, ref from, out int literals) || literals > source.Length - from || literals > target.Length - to) return false;
            source.Slice(from, literals).CopyTo(target[to..]);
            from += literals;
            to += literals;
            if (from == source.Length) break;
            if (from + 2 > source.Length) return false;
            int distance = source[from] | (source[from + 1] << 8);
            from += 2;
            if (!Length(token & 15, source, ref from, out int length)) return false;
            length += 4;
            if (distance == 0 || distance > to || length > target.Length - to) return false;

            // Source and target may overlap: then what was just written is repeated.
            for (int end = to + length; to < end; to++) target[to] = target[to - distance];
        }

        return to == target.Length;

        static bool Length(int nibble, ReadOnlySpan<byte> source, ref int from, out int length)
        {
            length = nibble;
            if (nibble < 15) return true;
            while (from < source.Length && length < int.MaxValue - 512)
            {
                byte more = source[from++];
                length += more;
                if (more < 255) return true;
            }

            return false;
        }
    }
}
