namespace Hadal.Numerics.Kernels;

/// <summary>Sizes of latent attention and the layouts that follow from them.</summary>
/// <remarks>
/// A row of keys in the working layout is the latent, zeros to a multiple of four values, the rope key, zeros to a multiple of four. Heads are worked on in groups
/// that fill the lanes: sixteen heads, or, if there are at most eight, eight heads with two partial sums each.
/// </remarks>
internal readonly struct LatentShape
{
    /// <summary>Keys that are weighed together; one softmax each.</summary>
    public const int BlockKeys = 256;

    /// <summary>Keys that lie side by side in the cache at least, if it is read in place.</summary>
    public const int SegmentKeys = 64;

    /// <summary>Keys of an 8-bit cache row's columns that share a scale.</summary>
    public const int ScaledColumns = 128;

    /// <summary>Columns that the value kernel takes at a time.</summary>
    public const int StripColumns = 32;

    /// <summary>A row's context is cut into at most so many chunks of work.</summary>
    private const int MostChunks = 32;

    public LatentShape(int heads, int rank, int rope, DType type)
    {
        (Heads, Rank, Rope, Type) = (heads, rank, rope, type);
        Chains = type != DType.F32 && heads <= 8 ? 2 : 1;
        GroupHeads = 16 / Chains;
        Groups = (heads + GroupHeads - 1) / GroupHeads;
        RopeStart = (rank + 3) & ~3;
        Width = RopeStart + ((rope + 3) & ~3);
        OutputColumns = (rank + StripColumns - 1) / StripColumns * StripColumns;
        RowElements = Math.Max(Width, OutputColumns);
        Sections = type == DType.F8E4M3 ? (rank + ScaledColumns - 1) / ScaledColumns : 1;
    }

    public int Heads { get; }

    /// <summary>Width of the latent.</summary>
    public int Rank { get; }

    /// <summary>Width of the rope key.</summary>
    public int Rope { get; }

    /// <summary>F32, BF16 or F8E4M3: the type of the cache.</summary>
    public DType Type { get; }

    /// <summary>Partial sums of a score: pair i of columns adds to sum i mod <see cref="Chains"/>.</summary>
    public int Chains { get; }

    public int GroupHeads { get; }

    public int Groups { get; }

    /// <summary>Where the rope key starts in the working layout.</summary>
    public int RopeStart { get; }

    /// <summary>Columns of the working layout, a multiple of four.</summary>
    public int Width { get; }

    /// <summary>Columns of a group's output rows, whole strips.</summary>
    public int OutputColumns { get; }

    /// <summary>Elements between rows in scratch: strips may reach beyond <see cref="Width"/>.</summary>
    public int RowElements { get; }

    /// <summary>Ranges of latent columns that have a scale of their own.</summary>
    public int Sections { get; }

    /// <summary>Whether rows of the cache are in the working layout themselves.</summary>
    public bool CacheIsInPlace => Type != DType.F8E4M3 && Rank % StripColumns == 0 && Rope % 4 == 0;

    /// <summary>Keys of a chunk for a row that sees so many: depends on nothing else.</summary>
    public static int ChunkKeys(int length)
    {
        int chunk = BlockKeys;
        while ((length - 1) / chunk >= MostChunks) chunk *= 2;
        return chunk;
    }

    /// <summary>Columns of a cache row, in elements of the type: an 8-bit row is [R codes][zeros to four][a scale, FP32, per 128][rope key, BF16], in bytes.</summary>
    public static int CacheColumns(DType type, int rank, int rope) =>
        type == DType.F8E4M3 ? ScaleOffset(rank) + (rank + ScaledColumns - 1) / ScaledColumns * sizeof(float) + ((rope * sizeof(ushort) + 3) & ~3) : rank + rope;

    /// <summary>Bytes before the scales of an 8-bit row.</summary>
    public static int ScaleOffset(int rank) => (rank + 3) & ~3;

    /// <summary>Bytes before the rope key of an 8-bit row.</summary>
    public static int RopeOffset(int rank) => ScaleOffset(rank) + (rank + ScaledColumns - 1) / ScaledColumns * sizeof(float);
}
