using System.Runtime.Intrinsics;

namespace Hadal.Numerics.Kernels;

/// <summary>A piece of an operand whose rows of memory are the inner dimension: it is coded where it lies, in the order of memory, without becoming rows of FP32 first.</summary>
internal unsafe struct TurnedOperand
{
    // Rows of memory in a piece: a tile of scales.
    private const int Depth = OperandView.Tile;

    public OperandView Operand;
    public OperandCoding Coding;
    public PanelFormat Format;

    /// <summary>Scales that rows share, or null.</summary>
    public float* Table;

    /// <summary>Which piece.</summary>
    public int Piece;

    /// <summary>Room for a scale per row of the operand.</summary>
    public float* Scales;

    /// <summary>Whether an operand can be coded so.</summary>
    public static bool Fits(in OperandView operand, in OperandCoding coding, in PanelFormat format) =>
        operand.IsTransposed && operand.Rows % 16 == 0 && (!coding.IsScaled || (coding.Number == CodedNumber.E4M3 && format.Block == OperandView.Tile));

    /// <summary>Pieces of an operand: of the inner dimension if it is coded so, else of sixteen rows.</summary>
    public static int Pieces(in OperandView operand, in OperandCoding coding, in PanelFormat format) =>
        Fits(operand, coding, format) ? (operand.Depth + Depth - 1) / Depth : CodedProduct.ItemsOf(operand);

    private readonly float* First => Operand.Pointer + (nint)Piece * Depth * Operand.Stride;

    private readonly int Count => Math.Min(Depth, Operand.Depth - Piece * Depth);

    /// <summary>As coded rows of a left operand.</summary>
    public readonly void CodeRows(in CodedRows rows)
    {
        nint stride = rows.Stride / sizeof(ushort);
        ushort* codes = (ushort*)rows.Codes + Piece * Depth;
        if (!Coding.IsScaled)
        {
            BFloat16Codes.Turned<PlainCode>(First, Operand.Stride, Count, Operand.Rows, codes, stride);
            return;
        }

        FindScales();
        BFloat16Codes.Turned<ScaledE4M3Code>(First, Operand.Stride, Count, Operand.Rows, codes, stride, Scales);
        int behind = (Count + 31) & ~31;
        for (int r = 0; r < Operand.Rows; r++)
        {
            if (behind < Depth) new Span<ushort>(codes + r * stride + behind, Depth - behind).Clear();
            rows.Values[r * rows.ValueStride + Piece] = new ActivationBlock { Scale = Scales[r] };
        }
    }

    /// <summary>As panels of a right operand.</summary>
    public readonly void Pack(byte* panels, nint panelBytes)
    {
        byte* block = panels + (Coding.IsScaled ? Format.Offset(Piece) : (nint)Piece * Depth * 32);
        if (!Coding.IsScaled)
        {
            BFloat16Codes.Pairs<PlainCode>(First, Operand.Stride, Count, Operand.Rows, block, panelBytes);
            return;
        }

        FindScales();
        BFloat16Codes.Pairs<ScaledE4M3Code>(First, Operand.Stride, Count, Operand.Rows, block, panelBytes, Scales);
        int behind = (Count + 15) & ~15;
        for (int r = 0; r < Operand.Rows; r += 16, block += panelBytes)
        {
            if (behind < Depth) new Span<byte>(block + behind * 32, (Depth - behind) * 32).Clear();
            Vector512.Load(Scales + r).Store((float*)(block + Format.CodeBytes));
        }
    }

    private readonly void FindScales()
    {
        int width = Operand.Rows;
        if (Table != null)
        {
            for (int r = 0; r < width; r++) Scales[r] = Coding.Tile == ScaleTile.Tensor ? *Table : Table[(nint)(r / OperandView.Tile) * Operand.Blocks + Piece];
            return;
        }

        new Span<float>(Scales, width).Clear();
        float* row = First;
        for (int k = 0; k < Count; k++, row += Operand.Stride)
        {
            for (int r = 0; r < width; r += 16) Vector512.Max(Vector512.Load(Scales + r), Vector512.Abs(Vector512.Load(row + r))).Store(Scales + r);
        }

        for (int r = 0; r < width; r++) Scales[r] = OperandRows.Scale(Coding, Scales[r]);
    }
}
