using System.Runtime.CompilerServices;

namespace Hadal.Numerics.Kernels;

/// <summary>What forward and backward of training attention in bfloat16 share: sizes, the operands of a segment, products.</summary>
/// <remarks>
/// Queries lie over lanes. A tile of scores is Sᵀ [96 keys, 128 queries], so that maxima, sums and corrections of a query are lanes of vectors and need no sum over a
/// register, and two rows of it are already the pairs that the next product wants of its right operand.
/// </remarks>
internal unsafe struct CodedAttention
{
    /// <summary>Keys of a tile: whole kernels of twelve rows, and whole blocks of sixteen. Tiles start at multiples of it from the segment's first key.</summary>
    public const int Keys = 96;

    /// <summary>Queries of a tile.</summary>
    public const int Queries = 128;

    /// <summary>Floats between rows of a tile: no power of two, so that rows do not compete for the same cache sets.</summary>
    public const int Stride = Queries + 16;

    /// <summary>Codes between rows of a tile that has become a left operand.</summary>
    public const int CodeStride = Queries + 32;

    /// <summary>Bytes between panels whose depth is the queries of a tile.</summary>
    public const int QueryPanel = Queries * 32 + 64;

    /// <summary>Bytes between panels whose depth is the keys of a tile.</summary>
    public const int KeyPanel = Keys * 32 + 64;

    /// <summary>What a maximum starts from: below all scores, and finite, so that differences are no NaN.</summary>
    public const float Lowest = -3e38f;

    public AttentionOperands Op;
    public KernelForm Form;

    /// <summary>First query of each segment, and the number of queries at the end.</summary>
    public int* Segments;
    public int SegmentCount;

    /// <summary>Scratch of each worker.</summary>
    public byte* Room;
    public nint RoomBytes;

    /// <summary>Columns of queries and keys with their padding.</summary>
    public readonly int Depth => (Op.Nope + Op.Rope + 15) & ~15;

    /// <summary>Columns of values with their padding.</summary>
    public readonly int ValueColumns => (Op.Value + 15) & ~15;

    /// <summary>Softmax scale for powers of two.</summary>
    public readonly float PowerScale => Op.Scale * Lanes.Exponential.Log2E;

    /// <summary>Tiles of queries that cover some.</summary>
    public static int QueryTiles(int queries) => (queries + Queries - 1) / Queries;

    /// <summary>Tiles of keys that cover some.</summary>
    public static int KeyTiles(int keys) => (keys + Keys - 1) / Keys;

    /// <summary>c (+)= left·panels; a panel stride of 0 stands for panels that are as deep as the product.</summary>
    public readonly void Product(void* left, nint leftStride, byte* panels, nint panelStride, float* c, nint ldc, int rows, int columns, int depth, bool accumulate) => PanelGemm.RunAlone(
        new PanelProblem
        {
            Format = PanelFormat.BFloat16,
            Left = (byte*)left,
            LeftStride = leftStride,
            Right = panels,
            PanelBytes = panelStride > 0 ? panelStride : (nint)PanelFormat.BFloat16.PanelBytes(depth),
            C = c,
            Ldc = ldc,
            M = rows,
            N = columns,
            Blocks = (depth + 15) / 16,
            Accumulate = accumulate,
        },
        Form);

    /// <summary>Some rows of a matrix, and of a second one beside it, with zeros behind them up to a width.</summary>
    public static void Stage(float* x, nint stride, int columns, float* beside, nint besideStride, int besideColumns, int rows, int width, float* to)
    {
        for (int r = 0; r < rows; r++, to += width)
        {
            new ReadOnlySpan<float>(x + r * stride, columns).CopyTo(new Span<float>(to, columns));
            if (besideColumns > 0) new ReadOnlySpan<float>(beside + r * besideStride, besideColumns).CopyTo(new Span<float>(to + columns, besideColumns));
            if (columns + besideColumns < width) new Span<float>(to + columns + besideColumns, width - columns - besideColumns).Clear();
        }
    }

    /// <summary>Keys of a head as rows, the rope part behind the rest.</summary>
    public readonly void StageKeys(int head, int key, int keys, float* to) =>
        Stage(Op.KNope(key, head), Op.KV.Stride, Op.Nope, Op.KRope.Row(key), Op.KRope.Stride, Op.Rope, keys, Depth, to);

    /// <summary>Values of a head as rows.</summary>
    public readonly void StageValues(int head, int key, int keys, float* to) => Stage(Op.V(key, head), Op.KV.Stride, Op.Value, null, 0, 0, keys, ValueColumns, to);

    /// <summary>Queries of a head as rows.</summary>
    public readonly void StageQueries(int head, int query, int queries, float* to) =>
        Stage(Op.QNope(query, head), Op.Q.Stride, Op.Nope + Op.Rope, null, 0, 0, queries, Depth, to);

    /// <summary>Which queries of a tile see a key: those from <paramref name="from"/> to before <paramref name="to"/>. Both only grow with the key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Seen(int key, int query, int queries, ref int from, ref int to)
    {
        while (from < queries && Op.Ends[query + from] <= key) from++;
        while (to < queries && Op.Starts[query + to] <= key) to++;
    }

    /// <summary>Sets the scores of a row outside a range.</summary>
    public static void Outside(float* row, int from, int to, int width, float value)
    {
        if (from >= to) (from, to) = (width, width);
        new Span<float>(row, from).Fill(value);
        new Span<float>(row + to, width - to).Fill(value);
    }

    /// <summary>Takes memory from a room, whole cache lines.</summary>
    public static byte* Take(ref byte* room, nint bytes)
    {
        byte* taken = room;
        room += (bytes + 63) & ~63;
        return taken;
    }
}
