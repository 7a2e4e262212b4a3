using System.Runtime.InteropServices;

namespace Hadal.Numerics.Kernels;

/// <summary>What <see cref="LatentScoreCode"/> multiplies. Assembled code knows the offsets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LatentScoreCall
{
    /// <summary>Registers of queries, 64 bytes each.</summary>
    public byte* Queries;

    /// <summary>The first of sixteen rows, at the first column.</summary>
    public byte* Rows;

    /// <summary>Bytes between rows.</summary>
    public nint RowStride;

    /// <summary>Registers of queries to go through, at least one.</summary>
    public nint Steps;

    /// <summary>Gets sixteen scores for each row, or for each pair of rows.</summary>
    public float* Scores;

    /// <summary>From a row to what is fetched early, in bytes.</summary>
    public nint Ahead;

    /// <summary>Of 8-bit rows, ranges of columns with a scale of their own; all but the last take <see cref="Steps"/>.</summary>
    public nint Sections;

    /// <summary>Registers of queries of the last of them.</summary>
    public nint LastSteps;

    /// <summary>Registers of queries behind them, without a scale.</summary>
    public nint RopeSteps;

    /// <summary>Scales of the sixteen rows, <see cref="LatentShape.BlockKeys"/> apart from section to section.</summary>
    public float* Scales;

    /// <summary>Room for sixteen values of each row.</summary>
    public float* Totals;
}

/// <summary>Keys that lie side by side.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LatentSegment
{
    /// <summary>The first row.</summary>
    public byte* Rows;

    /// <summary>Pairs of rows, at least one.</summary>
    public nint Pairs;

    /// <summary>Rows of the cache that the thread needs later, fetched meanwhile.</summary>
    public byte* Fetched;
}

/// <summary>What <see cref="LatentValueCode"/> multiplies. Assembled code knows the offsets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LatentValueCall
{
    /// <summary>At least one.</summary>
    public LatentSegment* Segments;

    public nint SegmentCount;

    /// <summary>Bytes between rows.</summary>
    public nint RowStride;

    /// <summary>Bytes between rows that are fetched.</summary>
    public nint FetchedStride;

    /// <summary>Bytes before the first column.</summary>
    public nint Column;

    /// <summary>Strips of 32 columns, at least one.</summary>
    public nint Strips;

    /// <summary>Weights of the first pair of keys for the first of eight heads.</summary>
    public uint* Weights;

    /// <summary>Sums of the first head at the first column; replaced.</summary>
    public float* Output;

    /// <summary>Bytes between heads.</summary>
    public nint OutputStride;

    /// <summary>Constants of <see cref="LatentValueCode"/>.</summary>
    public int* Constants;
}
