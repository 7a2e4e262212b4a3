namespace Hadal.Numerics.Kernels;

/// <summary>One product C = A·Wᵀ of coded activations and panels.</summary>
internal unsafe struct PanelProblem : ITiledProduct
{
    /// <summary>How the weights lie.</summary>
    public PanelFormat Format;

    /// <summary>First panel.</summary>
    public byte* Right;

    /// <summary>Codes of row 0.</summary>
    public byte* Left;

    /// <summary>Bytes between rows of codes.</summary>
    public nint LeftStride;

    /// <summary>Block values of row 0.</summary>
    public ActivationBlock* Values;

    /// <summary>Entries between rows of <see cref="Values"/>.</summary>
    public nint ValueStride;

    /// <summary>FP32 [M, N].</summary>
    public float* C;

    /// <summary>Floats between rows of C.</summary>
    public nint Ldc;

    /// <summary>Rows.</summary>
    public int M;

    /// <summary>Columns.</summary>
    public int N;

    /// <summary>Blocks along K.</summary>
    public int Blocks;

    /// <summary>Bytes from one panel to the next.</summary>
    public nint PanelBytes;

    /// <summary>Add to C instead of replacing it.</summary>
    public bool Accumulate;

    /// <summary>A product of coded rows and panels.</summary>
    /// <param name="format">How the weights lie.</param>
    /// <param name="panels">First panel.</param>
    /// <param name="outputs">Columns.</param>
    /// <param name="depth">K without padding.</param>
    /// <param name="a">Coded rows.</param>
    /// <param name="firstRow">The first row of them.</param>
    /// <param name="rows">How many.</param>
    /// <param name="c">FP32 [rows, outputs].</param>
    /// <param name="ldc">Floats between rows of C.</param>
    /// <param name="accumulate">Add to C instead of replacing it.</param>
    public static PanelProblem Of(in PanelFormat format, byte* panels, int outputs, int depth, in CodedRows a, int firstRow, int rows, float* c, nint ldc, bool accumulate) => new()
    {
        Format = format,
        Right = panels,
        Left = a.Codes + firstRow * a.Stride,
        LeftStride = a.Stride,
        Values = a.Values == null ? null : a.Values + firstRow * a.ValueStride,
        ValueStride = a.ValueStride,
        C = c,
        Ldc = ldc,
        M = rows,
        N = outputs,
        Blocks = format.Blocks(depth),
        PanelBytes = (nint)format.PanelBytes(depth),
        Accumulate = accumulate,
    };

    /// <summary>The same product over one block of k alone.</summary>
    public readonly PanelProblem Block(int block, bool accumulate)
    {
        var part = this;
        part.Right += Format.Offset(block);
        part.Left += (nint)block * Format.Block * Format.ActivationSize;
        part.Values += block;
        part.Blocks = 1;
        part.Accumulate = accumulate;
        return part;
    }

    /// <summary>Depth with its padding.</summary>
    public readonly int PaddedDepth => Blocks * Format.Block;

    /// <inheritdoc/>
    public readonly long Work => PanelGemm.Work(this);

    /// <inheritdoc/>
    public readonly int CountTiles(long workPerTile) => PanelGemm.CountTiles(this, workPerTile);

    /// <inheritdoc/>
    public readonly void RunTile(int tile, long workPerTile, KernelForm form) => PanelGemm.RunTile(this, tile, workPerTile, form);
}
