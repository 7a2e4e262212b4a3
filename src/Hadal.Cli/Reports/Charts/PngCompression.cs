using System.Buffers.Binary;
using System.IO.Compression;

namespace Hadal.Cli.Reports.Charts;

/// <summary>Compresses the pixels of a PNG image anew: the plotting library stores them as they are.</summary>
internal static class PngCompression
{
    private const int SignatureLength = 8;
    private const int FrameLength = 12; // length, type and checksum around a chunk's data

    /// <summary>Compresses an image.</summary>
    /// <param name="png">A PNG file with one data chunk; anything else comes back as it is.</param>
    /// <returns>The same pixels in a smaller file.</returns>
    public static byte[] Compress(byte[] png)
    {
        using var output = new MemoryStream();
        output.Write(png, 0, SignatureLength);
        int at = SignatureLength;
        while (at + FrameLength <= png.Length)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            if (length < 0 || length > png.Length - at - FrameLength) return png;
            var type = png.AsSpan(at + 4, 4);
            var data = png.AsSpan(at + 8, length);
            if (type.SequenceEqual("IDAT"u8)) WriteChunk(output, type, Deflate(data));
            else if (!type.SequenceEqual("pHYs"u8)) WriteChunk(output, type, data);
            at += FrameLength + length;
        }

        return output.ToArray();
    }

    private static ReadOnlySpan<byte> Deflate(ReadOnlySpan<byte> stored)
    {
        using var compressed = new MemoryStream();
        using (var deflate = new ZLibStream(compressed, CompressionLevel.SmallestSize))
        {
            using var inflate = new ZLibStream(new MemoryStream(stored.ToArray()), CompressionMode.Decompress);
            inflate.CopyTo(deflate);
        }

        return compressed.ToArray();
    }

    private static void WriteChunk(Stream output, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        output.Write(number);
        output.Write(type);
        output.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Checksum(data, Checksum(type, uint.MaxValue)));
        output.Write(number);
    }

    // CRC-32 as PNG prescribes it (PNG specification, annex D), bit by bit: the data are a few kilobytes.
    private static uint Checksum(ReadOnlySpan<byte> data, uint crc)
    {
        foreach (byte b in data)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
        }

        return crc;
    }
}
