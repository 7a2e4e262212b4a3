using System.Buffers.Binary;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>Takes a row of GGUF blocks apart: codes in natural order of k, scales and minima per block of the panel; K-formats have integers there, and factors of
/// a super-block of 256. Nothing is rounded.</summary>
/// <remarks>The layouts are those of docs/design/gguf.md. A value is scale · (code - zero point) - minimum.</remarks>
internal static unsafe class BlockRowCoding
{
    /// <summary>Takes a row apart.</summary>
    /// <param name="format">The blocks' format.</param>
    /// <param name="row">First block.</param>
    /// <param name="depth">K, whole blocks.</param>
    /// <param name="codes">Gets a byte per k.</param>
    /// <param name="scales">Gets a scale per block of the panel.</param>
    /// <param name="minima">Gets a minimum per block of the panel, if the format has them.</param>
    public static void Run(BlockFormat format, byte* row, int depth, byte* codes, float* scales, float* minima)
    {
        int elements = format.BlockElements(), bytes = format.BlockBytes();
        for (int k = 0; k < depth; k += elements, row += bytes, codes += elements)
        {
            var block = new ReadOnlySpan<byte>(row, bytes);
            switch (format)
            {
                case BlockFormat.Q80:
                    *scales++ = FromHalf(block, 0);
                    for (int i = 0; i < 32; i++) codes[i] = (byte)(block[2 + i] ^ 0x80);
                    break;
                case BlockFormat.Q40:
                    *scales++ = FromHalf(block, 0);
                    Halves(block[2..], codes);
                    break;
                case BlockFormat.Q50:
                    *scales++ = FromHalf(block, 0);
                    Halves(block[6..], codes);
                    uint fifth = BinaryPrimitives.ReadUInt32LittleEndian(block[2..]);
                    for (int i = 0; i < 32; i++) codes[i] |= (byte)((fifth >> i & 1) << 4);
                    break;
                case BlockFormat.Q6K:
                    SixBits(block, codes, scales);
                    scales += 16;
                    break;
                default:
                    WithMinima(block, format == BlockFormat.Q5K, codes, scales, minima);
                    scales += 8;
                    minima += 8;
                    break;
            }
        }
    }

    /// <summary>The factors of a super-block's scales and minima, as they are stored.</summary>
    public static void Factors(BlockFormat format, byte* row, int superBlock, out Half scale, out Half minimum)
    {
        var block = new ReadOnlySpan<byte>(row + (nint)superBlock * format.BlockBytes(), format.BlockBytes());
        scale = BinaryPrimitives.ReadHalfLittleEndian(block[(format == BlockFormat.Q6K ? 208 : 0)..]);
        minimum = format == BlockFormat.Q6K ? default : BinaryPrimitives.ReadHalfLittleEndian(block[2..]);
    }

    private static float FromHalf(ReadOnlySpan<byte> block, int offset) => (float)BinaryPrimitives.ReadHalfLittleEndian(block[offset..]);

    // Sixteen low halves, then sixteen high ones.
    private static void Halves(ReadOnlySpan<byte> packed, byte* codes)
    {
        for (int i = 0; i < 16; i++) (codes[i], codes[16 + i]) = ((byte)(packed[i] & 15), (byte)(packed[i] >> 4));
    }

    private static void SixBits(ReadOnlySpan<byte> block, byte* codes, float* scales)
    {
        for (int b = 0; b < 16; b++) scales[b] = (sbyte)block[192 + b];
        for (int k = 0; k < 256; k++)
        {
            // Two halves of 128, each four runs of 32: two runs in the low nibbles of 64 bytes, two in the high ones; their upper two bits share 32 bytes.
            int half = k / 128, run = k % 128 / 32, i = k % 32;
            int low = block[half * 64 + run % 2 * 32 + i] >> run / 2 * 4 & 15, high = block[128 + half * 32 + i] >> 2 * run & 3;
            codes[k] = (byte)(low | high << 4);
        }
    }

    private static void WithMinima(ReadOnlySpan<byte> block, bool fiveBits, byte* codes, float* scales, float* minima)
    {
        var packed = block.Slice(4, 12);
        var low = block[^128..];
        for (int b = 0; b < 8; b++)
        {
            int scale = b < 4 ? packed[b] & 63 : packed[b + 4] & 15 | packed[b - 4] >> 6 << 4;
            int minimum = b < 4 ? packed[b + 4] & 63 : packed[b + 4] >> 4 | packed[b] >> 6 << 4;
            (scales[b], minima[b]) = (scale, minimum);
            for (int i = 0; i < 32; i++)
            {
                int code = low[b / 2 * 32 + i] >> b % 2 * 4 & 15;
                if (fiveBits) code |= (block[16 + i] >> b & 1) << 4;
                codes[b * 32 + i] = (byte)code;
            }
        }
    }
}
