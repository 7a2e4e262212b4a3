namespace Hadal.Numerics.Kernels;

/// <summary>The memory that one thread works in.</summary>
internal readonly unsafe struct LatentWork
{
    private const int BlockFloats = LatentShape.BlockKeys * 16;

    public LatentWork(byte* memory, in LatentShape shape, bool assembled)
    {
        Scores = (float*)memory;
        Dots = Scores + BlockFloats;
        Scales = Dots + BlockFloats;
        Weights = Scales + shape.Sections * LatentShape.BlockKeys;
        Output = Weights + shape.Sections * BlockFloats;
        Rows = (byte*)(Output + 16 * shape.OutputColumns);
        Tail = Rows + LatentShape.BlockKeys * shape.RowElements * RowSize(shape);
        Widened = (float*)(Tail + 2 * shape.RowElements * RowSize(shape));
        End = (byte*)(assembled || shape.Type == DType.F32 ? Widened : Widened + LatentShape.BlockKeys * shape.RowElements);
    }

    /// <summary>[keys][heads], or with two chains [pairs of keys][heads][2].</summary>
    public float* Scores { get; }

    /// <summary>Dot products that are not scores yet, as many.</summary>
    public float* Dots { get; }

    /// <summary>[sections][keys]: scales of 8-bit rows.</summary>
    public float* Scales { get; }

    /// <summary>[sections]: weights, in bfloat16 pairs of keys or in FP32.</summary>
    public float* Weights { get; }

    /// <summary>[heads][<see cref="LatentShape.OutputColumns"/>].</summary>
    public float* Output { get; }

    /// <summary>Rows in the working layout, if the cache's are not.</summary>
    public byte* Rows { get; }

    /// <summary>Room for a last row without a partner, and zeros.</summary>
    public byte* Tail { get; }

    /// <summary>Rows in FP32 in the order in which the portable form adds them.</summary>
    public float* Widened { get; }

    private byte* End { get; }

    /// <summary>Bytes for one thread, whole cache lines.</summary>
    public static nint Bytes(in LatentShape shape, bool assembled) => ((nint)new LatentWork(null, shape, assembled).End + 127) & ~63;

    private static int RowSize(in LatentShape shape) => shape.Type == DType.F32 ? sizeof(float) : sizeof(ushort);
}
