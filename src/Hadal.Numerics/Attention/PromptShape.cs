namespace Hadal.Numerics.Kernels;

/// <summary>Sizes of prompt attention, and how the keys and values of a head and a block of tokens lie in memory.</summary>
/// <remarks>
/// <para>Assembled: panels as in <see cref="PanelFormat.BFloat16"/>. Keys: sixteen tokens to a panel, [column / 2][token][2]; values: sixteen columns to a panel,
/// [token / 2][column][2].</para>
/// <para>Portable: the same values in FP32 and in the order in which they are added, the odd one of a pair first. Keys [column][token], values [token][column].</para>
/// </remarks>
internal readonly struct PromptShape
{
    /// <summary>Keys that are weighed together. Blocks start at multiples of it, so that a query's result does not depend on how its prompt is cut.</summary>
    public const int BlockKeys = 256;

    /// <summary>Queries that stay in the second-level cache while blocks of keys run past them.</summary>
    public const int MostQueries = 192;

    /// <summary>Floats between rows of scores: no power of two, so that rows do not compete for the same cache sets.</summary>
    public const int ScoreStride = BlockKeys + 16;

    public PromptShape(int nope, int rope, int value, bool assembled)
    {
        (Nope, Rope, Value, Assembled) = (nope, rope, value, assembled);
        Depth = (nope + rope + 31) & ~31;
        ValueColumns = (value + 15) & ~15;
        TileQueries = assembled ? PanelGemm.MaxKernelRows : 48;
        ElementSize = assembled ? sizeof(ushort) : sizeof(float);
        KeyStride = assembled ? Depth * 32 : ScoreStride * sizeof(float);
        KeyBytes = assembled ? BlockKeys / 16 * KeyStride : Depth * KeyStride;
        ValueStride = assembled ? BlockKeys * 32 + 64 : ValueColumns * sizeof(float);
        BlockBytes = KeyBytes + (assembled ? ValueColumns / 16 : BlockKeys) * ValueStride;
    }

    /// <summary>Columns of a head's query and key before the rope part.</summary>
    public int Nope { get; }

    /// <summary>Columns of the rope part.</summary>
    public int Rope { get; }

    /// <summary>Columns of a head's value.</summary>
    public int Value { get; }

    public bool Assembled { get; }

    /// <summary>Columns of a query or key with their padding.</summary>
    public int Depth { get; }

    /// <summary>Columns of a value with their padding.</summary>
    public int ValueColumns { get; }

    /// <summary>Queries whose scores are computed at a time.</summary>
    public int TileQueries { get; }

    /// <summary>Bytes of a query's or a weight's element.</summary>
    public int ElementSize { get; }

    /// <summary>Bytes between panels of keys, or between their columns.</summary>
    public int KeyStride { get; }

    /// <summary>Bytes of the keys, after which the values start.</summary>
    public int KeyBytes { get; }

    /// <summary>Bytes between panels of values, or between their rows.</summary>
    public int ValueStride { get; }

    /// <summary>Bytes of a head's block.</summary>
    public nint BlockBytes { get; }

    /// <summary>Floats between rows of the product that gives keys and values: the head's columns, from a multiple of sixteen on.</summary>
    public int ProductStride => ((Nope + Value + 15 + 15) & ~15) + 16;
}
