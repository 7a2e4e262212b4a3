using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Absorbed attention on the paged latent cache (section 3.3 of the specification): a chunk of a row's context for a group of heads per item.</summary>
/// <remarks>
/// <para>
/// The cached latent is one key and value for all heads, so a group of heads is a small matrix that the cache streams past once. Chunks start at fixed positions
/// and give a maximum, a sum of weights and a weighted sum of latents each, which <see cref="LatentMergeKernel"/> puts together in ascending order; what a
/// chunk covers depends on the row's length alone. Within a chunk blocks of 256 keys have one softmax each and are added up in ascending order likewise.
/// </para>
/// <para>
/// For a cache below FP32 a score is a chain (two chains for at most eight heads) of bfloat16 dot products as in <see cref="PanelGemm"/>: pairs of columns
/// ascending, the odd one first. Weights are rounded to bfloat16 for the product with the latents, whose pairs are neighbouring keys. Of an 8-bit cache the
/// products take the codes, which bfloat16 holds exactly; the scales multiply the dot products of their columns and the weights before they are rounded.
/// </para>
/// </remarks>
internal unsafe partial struct LatentAttentionKernel : IKernel
{
    /// <summary>Where the weighted sums of a partial result start: behind sixteen maxima and sixteen sums.</summary>
    public const int PartialHeader = 32;

    // Rows between the one that is copied and the one that is fetched.
    private const int RowsAhead = 12;

    public LatentShape Shape;
    public LatentRows Cache;
    public KernelForm Form;
    public bool Assembled;
    public int PageTokens, TableStride, FirstRow, Rows;
    public int* PageTables, Sequences, Lengths;
    public float Scale;

    /// <summary>Groups of heads that an item attends with, one after another, and how many items that makes.</summary>
    public int GroupsPerItem, GroupItems;

    /// <summary>Where a row's chunks start, for the rows from <see cref="FirstRow"/> on.</summary>
    public int* ChunkStarts;

    public byte* Queries;
    public nint QueryBytes;
    public float* Partials;
    public nint PartialFloats;
    public byte* Workers;
    public nint WorkerBytes;

    /// <summary>Floats of a partial result.</summary>
    public static int PartialLength(in LatentShape shape) => PartialHeader + shape.GroupHeads * shape.OutputColumns;

    public readonly void Reference(int item, int worker) => throw new NotSupportedException();

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int chunk = item / GroupItems, firstGroup = item % GroupItems * GroupsPerItem, groups = Math.Min(GroupsPerItem, Shape.Groups - firstGroup), index = RowOf(chunk);
        int row = FirstRow + index, length = Lengths[row], size = LatentShape.ChunkKeys(length), start = (chunk - ChunkStarts[index]) * size, end = Math.Min(length, start + size);
        var work = new LatentWork(Workers + worker * WorkerBytes, Shape, Assembled);
        for (int first = start; first < end; first += LatentShape.BlockKeys)
        {
            int keys = Math.Min(LatentShape.BlockKeys, end - first);
            // A thread's items follow one another.
            int next = groups < Shape.Groups ? length : first + LatentShape.BlockKeys;
            var block = Load(row, first, keys, next, work);
            for (int group = firstGroup; group < firstGroup + groups; group++) Attend<TLanes>(block, chunk, index, group, first == start, group == firstGroup, work);
        }
    }

    // A block of keys for a group of heads; the result goes to, or is added to, the group's partial result.
    private readonly void Attend<TLanes>(in Block block, int chunk, int index, int group, bool isFirst, bool fetch, in LatentWork work) where TLanes : struct, ILanes<TLanes>
    {
        int heads = Math.Min(Shape.GroupHeads, Shape.Heads - group * Shape.GroupHeads);
        byte* queries = Queries + (index * Shape.Groups + group) * QueryBytes;
        float* max = Partials + (chunk * Shape.Groups + group) * PartialFloats, sum = max + 16, o = max + PartialHeader;
        float* correction = stackalloc float[16];
        if (isFirst)
        {
            TLanes.Store(TLanes.Broadcast(float.NegativeInfinity), max);
            TLanes.Store(TLanes.Zero, sum);
        }

        if (Assembled) Score(block, queries, work);
        else ScorePortable(block, queries, work);
        Weigh<TLanes>(block.Keys, max, sum, correction, work.Scores);
        if (Assembled) NarrowWeights(block.Keys, work);
        else NarrowWeightsPortable(block.Keys, work);
        float* output = isFirst ? o : work.Output;
        if (Assembled) Values(block, heads, fetch, output, work);
        else ValuesPortable(block, output, work);
        if (!isFirst) Accumulate<TLanes>(heads, correction, output, o);
    }

    private readonly int RowOf(int chunk)
    {
        int low = 0, high = Rows - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (ChunkStarts[middle] <= chunk) low = middle;
            else high = middle - 1;
        }

        return low;
    }

    // Finds a block's rows, or copies them where the cache does not have them side by side in the working layout; next is where the thread probably goes on.
    private readonly Block Load(int row, int first, int keys, int next, in LatentWork work)
    {
        var block = new Block { Keys = keys };
        int length = Lengths[row];
        int* pages = PageTables + (nint)Sequences[row] * TableStride;
        int size = Shape.Type == DType.F32 ? sizeof(float) : sizeof(ushort);
        block.Stride = (nint)Shape.RowElements * size;
        if (Shape.CacheIsInPlace && Cache.Stride == block.Stride && PageTokens % LatentShape.SegmentKeys == 0)
        {
            for (int key = 0; key < keys; key += LatentShape.SegmentKeys)
            {
                int position = first + key, count = Math.Min(LatentShape.SegmentKeys, keys - key);
                byte* rows = RowAt(pages, position);
                block.Add(rows, count, next + key < length ? RowAt(pages, next + key) : rows);
            }

            if (keys % 2 != 0 && Assembled)
            {
                // What lies behind the last row may be anything, so its partner is zeros.
                byte* last = block.Rows(block.Segments - 1) + (block.Count(block.Segments - 1) - 1) * block.Stride;
                new ReadOnlySpan<byte>(last, (int)block.Stride).CopyTo(new Span<byte>(work.Tail, (int)block.Stride));
                new Span<byte>(work.Tail + block.Stride, (int)block.Stride).Clear();
                block.Tail = work.Tail;
            }

            return block;
        }

        for (int key = 0; key < keys;)
        {
            int position = first + key, count = Math.Min(keys - key, PageTokens - position % PageTokens);
            nint slot = (nint)pages[position / PageTokens] * PageTokens + position % PageTokens;
            if (Shape.Type == DType.F8E4M3) Cache.Decode(slot, count, Shape, work.Rows + key * block.Stride, block.Stride, work.Scales + key);
            else
            {
                for (int i = 0; i < count; i++)
                {
                    if (i + RowsAhead < count) Fetch(Cache.Row(slot + i + RowsAhead));
                    Cache.Load(slot + i, Shape, work.Rows + (key + i) * block.Stride);
                }
            }

            key += count;
        }

        if (keys % 2 != 0) new Span<byte>(work.Rows + keys * block.Stride, (int)block.Stride).Clear();
        for (int key = 0; key < keys; key += LatentShape.SegmentKeys)
        {
            byte* rows = work.Rows + key * block.Stride;
            block.Add(rows, Math.Min(LatentShape.SegmentKeys, keys - key), next + key < length ? RowAt(pages, next + key) : rows);
        }

        return block;
    }

    private readonly byte* RowAt(int* pages, int position) => Cache.Row((nint)pages[position / PageTokens] * PageTokens + position % PageTokens);

    // Rows that are copied are read once: memory is slower than that unless it is asked early.
    private readonly void Fetch(byte* row)
    {
        if (!Sse.IsSupported) return;
        for (nint offset = 0; offset < Cache.Stride; offset += 64) Sse.Prefetch0(row + offset);
    }

    // Scores to weights relative to the new maximum. With two chains neighbouring lanes belong to one head.
    private readonly void Weigh<TLanes>(int keys, float* max, float* sum, float* correction, float* scores) where TLanes : struct, ILanes<TLanes>
    {
        int registers = (keys + 1) / 2 * 2 / Shape.Chains, step = Shape.Chains;
        if (keys % 2 != 0)
        {
            float* last = scores + (registers - 1) * 16;
            for (int lane = Shape.Chains - 1; lane < 16; lane += step) last[lane] = float.NegativeInfinity;
        }

        var peak = TLanes.Load(scores);
        for (int r = 1; r < registers; r++) peak = TLanes.Max(peak, TLanes.Load(scores + r * 16));
        if (Shape.Chains == 2) peak = TLanes.Max(peak, SwapPairs(peak));
        var before = TLanes.Load(max);
        var scale = TLanes.Broadcast(Scale);
        peak = TLanes.Max(before, peak * scale);
        TLanes.Store(peak, max);
        var factor = TLanes.Exp(before - peak);
        TLanes.Store(factor, correction);

        var shift = TLanes.Zero - peak;
        var total = TLanes.Zero;
        for (int r = 0; r < registers; r++)
        {
            var weight = TLanes.Exp(TLanes.FusedMultiplyAdd(TLanes.Load(scores + r * 16), scale, shift));
            TLanes.Store(weight, scores + r * 16);
            total += weight;
        }

        if (Shape.Chains == 2) total += SwapPairs(total);
        TLanes.Store(TLanes.FusedMultiplyAdd(TLanes.Load(sum), factor, total), sum);
    }

    private static TLanes SwapPairs<TLanes>(TLanes value) where TLanes : struct, ILanes<TLanes>
    {
        float* x = stackalloc float[16];
        TLanes.Store(value, x);
        for (int i = 0; i < 16; i += 2) (x[i], x[i + 1]) = (x[i + 1], x[i]);
        return TLanes.Load(x);
    }

    // o = o·correction + the block's sums.
    private readonly void Accumulate<TLanes>(int heads, float* correction, float* sums, float* o) where TLanes : struct, ILanes<TLanes>
    {
        for (int h = 0; h < heads; h++)
        {
            var factor = TLanes.Broadcast(correction[h * Shape.Chains]);
            float* from = sums + (nint)h * Shape.OutputColumns, to = o + (nint)h * Shape.OutputColumns;
            for (int c = 0; c < Shape.OutputColumns; c += 16) TLanes.Store(TLanes.FusedMultiplyAdd(TLanes.Load(to + c), factor, TLanes.Load(from + c)), to + c);
        }
    }

    // Rows of a block where they lie, at most 64 in a piece.
    private struct Block
    {
        public int Keys;
        public int Segments;
        public nint Stride;
        public byte* Tail;
        private fixed long _rows[LatentShape.BlockKeys / LatentShape.SegmentKeys];
        private fixed long _fetched[LatentShape.BlockKeys / LatentShape.SegmentKeys];
        private fixed int _counts[LatentShape.BlockKeys / LatentShape.SegmentKeys];

        public void Add(byte* rows, int count, byte* fetched)
        {
            _fetched[Segments] = (long)fetched;
            _rows[Segments] = (long)rows;
            _counts[Segments++] = count;
        }

        public byte* Rows(int segment) => (byte*)_rows[segment];

        // Rows of the cache that the thread comes to next.
        public byte* Fetched(int segment) => (byte*)_fetched[segment];

        public int Count(int segment) => _counts[segment];
    }
}
