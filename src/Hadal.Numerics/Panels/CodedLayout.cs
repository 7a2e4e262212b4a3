namespace Hadal.Numerics.Kernels;

/// <summary>Activations coded for a format.</summary>
internal unsafe struct CodedRows
{
    /// <summary>Codes of row 0.</summary>
    public byte* Codes;

    /// <summary>Bytes between rows.</summary>
    public nint Stride;

    /// <summary>Block values of row 0, or null.</summary>
    public ActivationBlock* Values;

    /// <summary>Entries between rows of values.</summary>
    public nint ValueStride;
}

/// <summary>How coded rows of a depth lie in memory: all codes, then all block values.</summary>
internal readonly unsafe struct CodedLayout
{
    private readonly nint _stride;
    private readonly nint _blocks;

    public CodedLayout(in PanelFormat format, int depth)
    {
        // An odd number of cache lines, so that rows do not compete for the same sets.
        _stride = ((nint)format.Blocks(depth) * format.Block * format.ActivationSize + 63) / 64 * 64 | 64;
        _blocks = format.ScaleSize > 0 ? format.Blocks(depth) : 0;
    }

    /// <summary>Bytes that some rows take, whole cache lines.</summary>
    public nint Bytes(int rows) => rows * _stride + (rows * _blocks * sizeof(ActivationBlock) + 63) / 64 * 64;

    /// <summary>Rows in a room of <see cref="Bytes"/>.</summary>
    public CodedRows At(byte* room, int rows) => new()
    {
        Codes = room,
        Stride = _stride,
        Values = _blocks > 0 ? (ActivationBlock*)(room + rows * _stride) : null,
        ValueStride = _blocks,
    };
}
