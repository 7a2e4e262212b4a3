namespace Hadal.Numerics.Kernels;

/// <summary>The memory in which one thread attends.</summary>
internal readonly unsafe struct PromptWork
{
    public PromptWork(byte* memory, in PromptShape shape)
    {
        Scores = (float*)memory;
        Output = Scores + shape.TileQueries * PromptShape.ScoreStride;
        Sums = Output + PromptShape.MostQueries * shape.ValueColumns;
        Peaks = Sums + PromptShape.MostQueries * 16;
        Queries = (byte*)(Peaks + PromptShape.MostQueries);
        Weights = shape.Assembled ? Queries + PromptShape.MostQueries * QueryStride(shape) : (byte*)Scores;
        End = Queries + PromptShape.MostQueries * QueryStride(shape) + (shape.Assembled ? shape.TileQueries * PromptShape.ScoreStride * sizeof(ushort) : 0);
    }

    /// <summary>[tile][<see cref="PromptShape.ScoreStride"/>].</summary>
    public float* Scores { get; }

    /// <summary>Weights of the tile, bfloat16; in the portable form in the place of the scores, FP32.</summary>
    public byte* Weights { get; }

    /// <summary>[queries][value columns], weighted sums so far.</summary>
    public float* Output { get; }

    /// <summary>[queries][sixteen partial sums] of weights.</summary>
    public float* Sums { get; }

    /// <summary>[queries], the largest scaled score so far.</summary>
    public float* Peaks { get; }

    /// <summary>Queries, bfloat16 or in the portable form FP32 with the two columns of a pair exchanged.</summary>
    public byte* Queries { get; }

    private byte* End { get; }

    /// <summary>Bytes between queries: no power of two.</summary>
    public static nint QueryStride(in PromptShape shape) => (nint)shape.Depth * shape.ElementSize + 64;

    /// <summary>Bytes for one thread, whole cache lines.</summary>
    public static nint Bytes(in PromptShape shape) => ((nint)new PromptWork(null, shape).End + 127) & ~63;
}
