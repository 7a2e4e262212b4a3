using System.Runtime.CompilerServices;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>Where a code lies in a block and what it stands for: the definition that every packer and kernel agrees with.</summary>
internal static unsafe class PanelCodes
{
    /// <summary>Byte offset of a code in its block; for a nibble the byte that holds it.</summary>
    /// <param name="element">The codes.</param>
    /// <param name="k">Depth within the block.</param>
    /// <param name="column">0 … 15 within the panel.</param>
    public static int Offset(PanelElement element, int k, int column) => element switch
    {
        PanelElement.BFloat16 => k / 2 * 64 + column * 4 + k % 2 * 2,
        PanelElement.Float16 => k * 32 + column * 2,

        // Four columns to a quarter of the register: first the pairs k 0 and 1, then the pairs k 2 and 3, so that unpacking bytes to 16 bits gives pairs.
        PanelElement.E4M3 => k / 4 * 64 + column / 4 * 16 + k % 4 / 2 * 8 + column % 4 * 2 + k % 2,
        PanelElement.Nibble => k / 8 * 64 + column * 4 + k % 4,
        _ => k / 4 * 64 + column * 4 + k % 4,
    };

    /// <summary>The code's value before scale and minimum, exact.</summary>
    public static float Value(in PanelFormat format, byte* block, int k, int column)
    {
        byte* code = block + Offset(format.Element, k, column);
        return format.Element switch
        {
            PanelElement.BFloat16 => BFloat16.ToSingle(*(ushort*)code),
            PanelElement.Float16 => (float)*(Half*)code,
            PanelElement.E4M3 => Float8E4M3.ToSingle(*code),
            PanelElement.Nibble => ((k % 8 < 4 ? *code & 15 : *code >> 4) | HighBits(format, block, k, column)) - format.ZeroPoint,
            _ => *code - format.ZeroPoint,
        };
    }

    /// <summary>A column's scale in a block of a panel (or of what starts at a super-block); 1 if there are none.</summary>
    public static float Scale(in PanelFormat format, byte* panel, int block, int column)
    {
        if (format.SuperBlock > 1) return Read(SuperScales(format, panel, block) + block % format.SuperBlock * 16, Factors(format, panel, block), column);
        return format.ScaleSize == 0 ? 1 : Read(panel + format.Offset(block) + format.CodeBytes, format.ScaleSize, column);
    }

    /// <summary>A column's minimum; 0 if there are none.</summary>
    public static float Minimum(in PanelFormat format, byte* panel, int block, int column)
    {
        if (!format.HasMinimum) return 0;
        if (format.SuperBlock == 1) return Read(panel + format.Offset(block) + format.MinimumOffset, format.ScaleSize, column);
        return Read(SuperScales(format, panel, block) + (format.SuperBlock + block % format.SuperBlock) * 16, Factors(format, panel, block) + 16, column);
    }

    /// <summary>The scales of the super-block that a block belongs to.</summary>
    public static byte* SuperScales(in PanelFormat format, byte* panel, int block) =>
        panel + (nint)(block / format.SuperBlock) * format.SuperBlockBytes + format.SuperBlock * format.CodeBytes;

    /// <summary>The factors of the super-block that a block belongs to: sixteen of scales, then sixteen of minima.</summary>
    public static Half* Factors(in PanelFormat format, byte* panel, int block) => (Half*)(SuperScales(format, panel, block) + format.FactorOffset);

    /// <summary>Stores a scale or minimum.</summary>
    public static void Write(byte* values, int size, int column, float value)
    {
        if (size == sizeof(float)) ((float*)values)[column] = value;
        else ((Half*)values)[column] = (Half)value;
    }

    /// <summary>bfloat16 code nearest to a value, ties to even, with subnormal results as zero: what the dot product instruction takes them for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Narrow(float value)
    {
        ushort code = BFloat16.FromSingle(value);
        return (code & 0x7F80) == 0 ? (ushort)(code & 0x8000) : code;
    }

    /// <summary>FP16 nearest to a value, ties to even; what is larger than FP16 can say becomes the largest.</summary>
    public static Half NarrowToHalf(float value) => float.IsFinite(value) ? (Half)Math.Clamp(value, -65504f, 65504f) : (Half)value;

    private static int HighBits(in PanelFormat format, byte* block, int k, int column) => format.HighBits == 0 ? 0
        : (block[format.HighBitOffset + column * 4 + k % 4] >> format.HighBits * (k / 4) & (1 << format.HighBits) - 1) << 4;

    private static float Read(byte* values, Half* factors, int column) => ((sbyte*)values)[column] * (float)factors[column];

    private static float Read(byte* values, int size, int column) => size == sizeof(float) ? ((float*)values)[column] : (float)((Half*)values)[column];
}
