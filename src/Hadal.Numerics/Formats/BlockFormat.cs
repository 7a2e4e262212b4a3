namespace Hadal.Numerics.Formats;

/// <summary>Block formats of GGUF files: a fixed number of neighbouring elements of a row share scales and are stored in a fixed number of bytes.</summary>
/// <remarks>The layouts byte for byte are in <c>docs/design/gguf.md</c>. Multi-byte fields are little-endian; scales are FP16. Names are those of the
/// format, without its underscore.</remarks>
public enum BlockFormat
{
    /// <summary>Q4_0: 32 elements in 18 bytes, x = d · (q - 8), q of 4 bits.</summary>
    Q40,

    /// <summary>Q5_0: 32 elements in 22 bytes, x = d · (q - 16), q of 5 bits.</summary>
    Q50,

    /// <summary>Q8_0: 32 elements in 34 bytes, x = d · q, q a signed byte.</summary>
    Q80,

    /// <summary>Q4_K: 256 elements in 144 bytes; 8 sub-blocks of 32, x = d · s · q - m₀ · m, q of 4 bits, s and m of 6 bits.</summary>
    Q4K,

    /// <summary>Q5_K: 256 elements in 176 bytes; as <see cref="Q4K"/> with q of 5 bits.</summary>
    Q5K,

    /// <summary>Q6_K: 256 elements in 210 bytes; 16 sub-blocks of 16, x = d · s · (q - 32), q of 6 bits, s a signed byte.</summary>
    Q6K,
}
