using System.Buffers.Binary;

namespace Hadal.Numerics.Formats.Blocks;

/// <summary>The FP16 scale of a block.</summary>
internal static class HalfScale
{
    public static float Read(ReadOnlySpan<byte> block, int offset) => (float)BinaryPrimitives.ReadHalfLittleEndian(block[offset..]);

    /// <summary>Writes a scale, saturating, and gives the value that a reader will see.</summary>
    public static float Write(Span<byte> block, int offset, float scale)
    {
        const float largest = 65504;
        var half = (Half)Math.Clamp(float.IsNaN(scale) ? 0 : scale, -largest, largest);
        BinaryPrimitives.WriteHalfLittleEndian(block[offset..], half);
        return (float)half;
    }
}
