namespace Hadal.Numerics.Formats;

/// <summary>bfloat16 codes.</summary>
internal static class BFloat16
{
    public static void FromSingle(ReadOnlySpan<float> values, Span<ushort> codes)
    {
        for (int i = 0; i < values.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(values[i]);
            codes[i] = (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }
    }

    public static void ToSingle(ReadOnlySpan<ushort> codes, Span<float> values)
    {
        for (int i = 0; i < codes.Length; i++) values[i] = BitConverter.UInt32BitsToSingle((uint)codes[i] << 16);
    }
}
