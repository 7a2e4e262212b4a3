using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Attention of training with products of bfloat16: a head of a segment (queries that share no keys with other segments) per item.</summary>
/// <remarks>
/// In powers of two, with m the largest scaled score of a query's keys so far, tile by tile of 96 keys: weight = 2^(fma(score, scale·log2 e, -m)), their sum over ascending
/// keys, o the chain of products of weights rounded to bfloat16 and values; a larger m multiplies sum and o by 2^(m before - m) first. A key that a query does not see has
/// weight 0. So a query's bits depend on its segment's keys alone, not on where the segment lies, on threads, or on the form.
/// </remarks>
internal unsafe struct CodedAttentionKernel : IKernel
{
    public CodedAttention Common;
    public Matrix O;
    public float* LogSumExp;

    /// <summary>Scratch for segments of so many queries and keys.</summary>
    public static nint Bytes(in CodedAttention common, int keys)
    {
        var work = new Work(common, null, keys);
        return work.Bytes;
    }

    public readonly void Reference(int item, int worker)
    {
        int head = item / Common.SegmentCount, segment = item % Common.SegmentCount;
        var exact = new AttentionKernel { Op = Common.Op, O = O, LogSumExp = LogSumExp };
        exact.Reference(head, Common.Segments[segment], Common.Segments[segment + 1]);
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int head = item / Common.SegmentCount, segment = item % Common.SegmentCount;
        int first = Common.Segments[segment], last = Common.Segments[segment + 1], firstKey = Common.Op.Starts[first], keys = Common.Op.Ends[last - 1] - firstKey;
        int depth = Common.Depth, columns = Common.ValueColumns;
        var work = new Work(Common, Common.Room + worker * Common.RoomBytes, keys);
        for (int key = 0; key < keys; key += CodedAttention.Keys)
        {
            int count = Math.Min(CodedAttention.Keys, keys - key);
            Common.StageKeys(head, firstKey + key, count, work.Stage);
            BFloat16Codes.Rows(work.Stage, depth, count, depth, work.Keys + key * work.KeyStride, work.KeyStride);
            Common.StageValues(head, firstKey + key, count, work.Stage);
            BFloat16Codes.Turned<PlainCode>(work.Stage, columns, count, columns, work.Values + key, work.ValueStride);
        }

        for (int query = first; query < last; query += CodedAttention.Queries)
        {
            int queries = Math.Min(CodedAttention.Queries, last - query), width = (queries + 31) & ~31;
            Common.StageQueries(head, query, queries, work.Stage);
            BFloat16Codes.Panels(work.Stage, depth, queries, depth, work.Queries, 32);
            Attend<TLanes>(work, query, queries, width, firstKey);
            Finish<TLanes>(work, query, queries, width, head);
        }
    }

    private readonly void Attend<TLanes>(in Work work, int query, int queries, int width, int firstKey) where TLanes : struct, ILanes<TLanes>
    {
        int columns = Common.ValueColumns;
        new Span<float>(work.Output, columns * CodedAttention.Stride).Clear();
        new Span<float>(work.Sums, CodedAttention.Queries).Clear();
        new Span<float>(work.Peaks, CodedAttention.Queries).Fill(CodedAttention.Lowest);
        int* starts = Common.Op.Starts + query, ends = Common.Op.Ends + query;
        int end = ends[queries - 1] - firstKey;
        for (int key = (starts[0] - firstKey) / CodedAttention.Keys * CodedAttention.Keys; key < end; key += CodedAttention.Keys)
        {
            int keys = Math.Min(CodedAttention.Keys, end - key);
            Common.Product(
                work.Keys + key * work.KeyStride, work.KeyStride * sizeof(ushort), work.Queries, 0, work.Scores, CodedAttention.Stride, keys, width, Common.Depth, false);
            bool whole = starts[queries - 1] <= firstKey + key && ends[0] >= firstKey + key + keys && queries == width;
            if (!whole) Hide(work, firstKey + key, keys, query, queries, width, float.NegativeInfinity);
            for (int lane = 0; lane < width; lane += 16) Weigh<TLanes>(work, keys, lane);
            if (!whole) Hide(work, firstKey + key, keys, query, queries, width, 0);
            BFloat16Codes.Pairs<PlainCode>(work.Scores, CodedAttention.Stride, keys, width, work.Weights, CodedAttention.KeyPanel);
            Common.Product(
                work.Values + key, work.ValueStride * sizeof(ushort), work.Weights, CodedAttention.KeyPanel, work.Output, CodedAttention.Stride, columns, width, keys, true);
        }
    }

    private readonly void Hide(in Work work, int key, int keys, int query, int queries, int width, float value)
    {
        int from = 0, to = 0;
        for (int r = 0; r < keys; r++)
        {
            Common.Seen(key + r, query, queries, ref from, ref to);
            CodedAttention.Outside(work.Scores + r * CodedAttention.Stride, from, to, width, value);
        }
    }

    // Sixteen queries: scores to weights relative to the new maximum, and what was summed up before follows it.
    private readonly void Weigh<TLanes>(in Work work, int keys, int lane) where TLanes : struct, ILanes<TLanes>
    {
        const int stride = CodedAttention.Stride;
        float* scores = work.Scores + lane;
        TLanes most = TLanes.Load(scores), before = TLanes.Load(work.Peaks + lane), scale = TLanes.Broadcast(Common.PowerScale);
        for (int r = 1; r < keys; r++) most = TLanes.Max(most, TLanes.Load(scores + r * stride));
        var peak = TLanes.Max(before, most * scale);
        TLanes.Store(peak, work.Peaks + lane);
        var factor = TLanes.PowerOfTwo(before - peak);
        float* output = work.Output + lane;
        for (int c = 0; c < Common.ValueColumns; c++, output += stride) TLanes.Store(TLanes.Load(output) * factor, output);
        TLanes shift = TLanes.Zero - peak, sum = TLanes.Load(work.Sums + lane) * factor;
        for (int r = 0; r < keys; r++)
        {
            float* row = scores + r * stride;
            var weight = TLanes.PowerOfTwo(TLanes.FusedMultiplyAdd(TLanes.Load(row), scale, shift));
            sum += weight;
            TLanes.Store(weight, row);
        }

        TLanes.Store(sum, work.Sums + lane);
    }

    private readonly void Finish<TLanes>(in Work work, int query, int queries, int width, int head) where TLanes : struct, ILanes<TLanes>
    {
        for (int lane = 0; lane < width; lane += 16)
        {
            var inverse = TLanes.Broadcast(1) / TLanes.Load(work.Sums + lane);
            float* output = work.Output + lane;
            for (int c = 0; c < Common.ValueColumns; c++, output += CodedAttention.Stride) TLanes.Store(TLanes.Load(output) * inverse, output);
        }

        BFloat16Codes.Transpose(work.Output, CodedAttention.Stride, Common.Op.Value, queries, O.Row(query) + head * Common.Op.Value, O.Stride);
        if (LogSumExp == null) return;
        float* lse = LogSumExp + (nint)head * Common.Op.Q.Rows + query;
        for (int i = 0; i < queries; i++) lse[i] = (work.Peaks[i] + MathF.Log2(work.Sums[i])) / Exponential.Log2E;
    }

    /// <summary>The scratch of a worker.</summary>
    private readonly struct Work
    {
        public Work(in CodedAttention common, byte* room, int keys)
        {
            const int stride = CodedAttention.Stride;
            byte* at = room;
            int depth = common.Depth, columns = common.ValueColumns;
            (KeyStride, ValueStride) = (depth + 32, CodedAttention.KeyTiles(keys) * CodedAttention.Keys + 32);
            Scores = (float*)CodedAttention.Take(ref at, CodedAttention.Keys * stride * sizeof(float));
            // Transposition reads sixteen rows at a time.
            Output = (float*)CodedAttention.Take(ref at, columns * stride * sizeof(float));
            Sums = (float*)CodedAttention.Take(ref at, CodedAttention.Queries * sizeof(float));
            Peaks = (float*)CodedAttention.Take(ref at, CodedAttention.Queries * sizeof(float));
            Stage = (float*)CodedAttention.Take(ref at, CodedAttention.Queries * Math.Max(depth, columns) * sizeof(float));
            Weights = CodedAttention.Take(ref at, CodedAttention.Queries / 16 * CodedAttention.KeyPanel);
            Queries = CodedAttention.Take(ref at, CodedAttention.Queries * depth * sizeof(ushort));
            Keys = (ushort*)CodedAttention.Take(ref at, (keys + 15) * KeyStride * sizeof(ushort));
            Values = (ushort*)CodedAttention.Take(ref at, columns * ValueStride * sizeof(ushort));
            Bytes = (nint)(at - room);
        }

        /// <summary>Sᵀ of a tile, then weights.</summary>
        public float* Scores { get; }

        /// <summary>Oᵀ of a tile of queries.</summary>
        public float* Output { get; }

        public float* Sums { get; }

        public float* Peaks { get; }

        /// <summary>Rows of FP32 on their way to codes.</summary>
        public float* Stage { get; }

        /// <summary>Panels of weights, keys being the depth.</summary>
        public byte* Weights { get; }

        /// <summary>Panels of the queries of a tile.</summary>
        public byte* Queries { get; }

        /// <summary>Keys of the segment as rows.</summary>
        public ushort* Keys { get; }

        /// <summary>Values of the segment, a column to a row.</summary>
        public ushort* Values { get; }

        public nint KeyStride { get; }

        public nint ValueStride { get; }

        public nint Bytes { get; }
    }
}
