using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Hadal.Numerics.Formats.Blocks;

/// <summary>Q4_0, Q5_0 and Q8_0: 32 elements, one FP16 scale d.</summary>
/// <remarks>Q4_0: d, then 16 bytes; byte j holds element j in its low half and element j + 16 in its high half. Q5_0: d, then 32 bits whose bit i is the
/// fifth bit of element i, then 16 bytes as in Q4_0. Q8_0: d, then 32 signed bytes.</remarks>
internal static class SymmetricBlocks
{
    private const int Count = 32, Half = Count / 2;

    public static void Decode4(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = HalfScale.Read(block, 0);
        var codes = block[2..];
        for (int j = 0; j < Half; j++)
        {
            values[j] = d * ((codes[j] & 15) - 8);
            values[j + Half] = d * ((codes[j] >> 4) - 8);
        }
    }

    public static void Decode5(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = HalfScale.Read(block, 0);
        uint fifth = BinaryPrimitives.ReadUInt32LittleEndian(block[2..]);
        var codes = block[6..];
        for (int j = 0; j < Half; j++)
        {
            values[j] = d * ((codes[j] & 15 | (int)(fifth >> j & 1) << 4) - 16);
            values[j + Half] = d * ((codes[j] >> 4 | (int)(fifth >> j + Half & 1) << 4) - 16);
        }
    }

    public static void Decode8(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = HalfScale.Read(block, 0);
        var codes = MemoryMarshal.Cast<byte, sbyte>(block.Slice(2, Count));
        for (int i = 0; i < Count; i++) values[i] = d * codes[i];
    }

    public static void Encode4(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<int> codes = stackalloc int[Count];
        Quantise(values, block, 8, codes);
        for (int j = 0; j < Half; j++) block[2 + j] = (byte)(codes[j] | codes[j + Half] << 4);
    }

    public static void Encode5(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<int> codes = stackalloc int[Count];
        Quantise(values, block, 16, codes);
        uint fifth = 0;
        for (int i = 0; i < Count; i++) fifth |= (uint)(codes[i] >> 4) << i;
        BinaryPrimitives.WriteUInt32LittleEndian(block[2..], fifth);
        for (int j = 0; j < Half; j++) block[6 + j] = (byte)(codes[j] & 15 | (codes[j + Half] & 15) << 4);
    }

    // With 255 codes the scale that spans the range is as good as any.
    public static void Encode8(ReadOnlySpan<float> values, Span<byte> block)
    {
        float largest = 0;
        foreach (float value in values) largest = MathF.Max(largest, MathF.Abs(value));
        float d = HalfScale.Write(block, 0, largest / 127);
        float inverse = d > 0 ? 1 / d : 0;
        for (int i = 0; i < Count; i++) block[2 + i] = (byte)(sbyte)Math.Clamp(MathF.Round(values[i] * inverse), -127, 127);
    }

    /// <summary>Writes the scale and gives the codes, which are stored with <paramref name="zero"/> added.</summary>
    private static void Quantise(ReadOnlySpan<float> values, Span<byte> block, int zero, Span<int> codes)
    {
        Span<float> weights = stackalloc float[Count];
        ScaleSearch.Weigh(values, weights);
        float d = HalfScale.Write(block, 0, ScaleSearch.Symmetric(values, weights, -zero, zero - 1));
        float inverse = d != 0 ? 1 / d : 0;
        for (int i = 0; i < Count; i++) codes[i] = zero + (int)Math.Clamp(MathF.Round(values[i] * inverse), -zero, zero - 1);
    }
}
