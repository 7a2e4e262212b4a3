using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>One product C = A·Bᵀ (A [M, K], B [N, K]) whose operands are coded on the way.</summary>
internal unsafe struct CodedProduct
{
    public OperandView A;
    public OperandView B;
    public float* C;
    public nint Ldc;
    public bool Accumulate;

    /// <summary>Coded rows of A.</summary>
    public CodedRows Rows;

    /// <summary>Panels of B.</summary>
    public byte* Panels;

    /// <summary>Scales that rows of A or B share, [strip][block]; null where rows have their own.</summary>
    public float* ScalesA;

    public float* ScalesB;

    /// <summary>Items of work: those of A, then those of B.</summary>
    public readonly int Items(in ProductCoding coding, in PanelFormat format) => TurnedOperand.Pieces(A, coding.A, format) + TurnedOperand.Pieces(B, coding.B, format);

    /// <summary>The right operand, or the left one.</summary>
    public readonly OperandView Operand(bool isRight) => isRight ? B : A;

    /// <summary>Its shared scales.</summary>
    public readonly float* Scales(bool isRight) => isRight ? ScalesB : ScalesA;

    public static int ItemsOf(in OperandView operand) => (operand.Rows + 15) / 16;

    /// <summary>A depth with its padding: whole blocks of the format, which scaled operands are coded in whole tiles of.</summary>
    public static int CodedDepth(int depth, in PanelFormat format) => format.ScaleSize > 0 ? OperandView.Padded(depth) : format.Blocks(depth) * format.Block;
}

/// <summary>Codes sixteen rows of an operand: rows of A where they lie in a row, rows of B as a panel.</summary>
internal unsafe struct CodingJob : ITeamJob
{
    public CodedProduct* Products;

    /// <summary>Items before each product's.</summary>
    public int* Starts;

    public int Count;
    public ProductCoding Coding;
    public PanelFormat Format;

    /// <summary>Scratch of each member.</summary>
    public byte* Room;
    public nint RoomBytes;

    /// <summary>Scratch that a member needs for rows of a depth.</summary>
    /// <param name="depth">K.</param>
    /// <param name="rows">Rows of the operand that has most.</param>
    public static nint ScratchBytes(int depth, int rows)
    {
        nint padded = OperandView.Padded(depth);
        return Math.Max(16 * ((padded + 16) * (sizeof(float) + sizeof(ushort)) + padded / OperandView.Tile * sizeof(float)), (nint)rows * sizeof(float)) + 64;
    }

    public readonly void Execute(int item, int worker)
    {
        int owner = TilePool.Owner(Starts, Count, item);
        ref readonly var product = ref Products[owner];
        int index = item - Starts[owner], rowItems = TurnedOperand.Pieces(product.A, Coding.A, Format);
        byte* room = Room + worker * RoomBytes;
        if (index >= rowItems)
        {
            index -= rowItems;
            if (TurnedOperand.Fits(product.B, Coding.B, Format)) Turned(product.B, Coding.B, product.ScalesB, index, room).Pack(product.Panels, (nint)Format.PanelBytes(CodedProduct.CodedDepth(product.B.Depth, Format)));
            else Pack(product, index * 16, room);
        }
        else if (TurnedOperand.Fits(product.A, Coding.A, Format))
        {
            Turned(product.A, Coding.A, product.ScalesA, index, room).CodeRows(product.Rows);
        }
        else
        {
            CodeRows(product, index * 16, room);
        }
    }

    private readonly TurnedOperand Turned(in OperandView operand, in OperandCoding coding, float* table, int piece, byte* room) =>
        new() { Operand = operand, Coding = coding, Format = Format, Table = table, Piece = piece, Scales = (float*)room };

    private readonly void CodeRows(in CodedProduct product, int row, byte* room)
    {
        int count = Math.Min(16, product.A.Rows - row), depth = product.A.Depth, padded = CodedProduct.CodedDepth(depth, Format), blocks = padded / Format.Block;
        float** starts = stackalloc float*[16];
        product.A.Gather(row, count, (float*)room, starts);
        float* scales = (float*)room + 16 * (nint)(padded + 16);
        for (int r = 0; r < count; r++)
        {
            float* given = Given(Coding.A, product.ScalesA, product.A, row + r, out int step);
            OperandRows.Code(Coding.A, starts[r], depth, padded, (ushort*)(product.Rows.Codes + (row + r) * product.Rows.Stride), given, step, scales);
            if (!Coding.A.IsScaled) continue;
            var values = product.Rows.Values + (row + r) * product.Rows.ValueStride;
            for (int b = 0; b < blocks; b++) values[b] = new ActivationBlock { Scale = scales[b * Format.Block / OperandView.Tile] };
        }
    }

    private readonly void Pack(in CodedProduct product, int row, byte* room)
    {
        int count = Math.Min(16, product.B.Rows - row), depth = product.B.Depth, padded = CodedProduct.CodedDepth(depth, Format), tiles = padded / OperandView.Tile;
        float** starts = stackalloc float*[16];
        WeightRow* rows = stackalloc WeightRow[16];
        product.B.Gather(row, count, (float*)room, starts);
        float* scales = (float*)room + 16 * (nint)(padded + 16);
        ushort* codes = (ushort*)(scales + 16 * OperandView.Padded(depth) / OperandView.Tile);
        for (int r = 0; r < count; r++)
        {
            float* given = Given(Coding.B, product.ScalesB, product.B, row + r, out int step);
            OperandRows.Code(Coding.B, starts[r], depth, padded, codes + (nint)r * padded, given, step, scales + r * tiles);
            rows[r] = new WeightRow { Codes = (byte*)(codes + (nint)r * padded), Type = DType.BF16, Scales = Coding.B.IsScaled ? scales + r * tiles : null, ScaleDepth = OperandView.Tile };
        }

        PanelPacking.Run(Format, rows, count, padded, product.Panels + row / 16 * Format.PanelBytes(padded));
    }

    private static float* Given(in OperandCoding coding, float* table, in OperandView operand, int row, out int step)
    {
        step = coding.Tile == ScaleTile.Tensor ? 0 : 1;
        return table == null ? null : coding.Tile == ScaleTile.Tensor ? table : table + (nint)(row / OperandView.Tile) * operand.Blocks;
    }
}

/// <summary>The largest magnitudes of blocks of 128×128 of the operands, strip by strip, and from them scales.</summary>
internal unsafe struct BlockScaleJob : ITeamJob
{
    public CodedProduct* Products;

    /// <summary>Strips before each product's.</summary>
    public int* Starts;

    public int Count;
    public bool IsRight;
    public OperandCoding Coding;

    public readonly void Execute(int item, int worker)
    {
        int owner = TilePool.Owner(Starts, Count, item), strip = item - Starts[owner];
        var operand = Products[owner].Operand(IsRight);
        float* scales = Products[owner].Scales(IsRight) + (nint)strip * operand.Blocks;
        for (int b = 0; b < operand.Blocks; b++) scales[b] = OperandRows.Scale(Coding, operand.Amax(strip, b));
    }
}
