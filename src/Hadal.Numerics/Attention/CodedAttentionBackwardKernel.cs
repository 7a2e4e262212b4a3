using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Gradients of <see cref="CodedAttentionKernel"/> with products of bfloat16, a head of a segment per item.</summary>
/// <remarks>
/// With p = 2^(fma(score, scale·log2 e, -lse·log2 e)), D = Σ do·o and ds = p·(do·v - D)·scale in FP32: dv = Σ p·do, dk = Σ ds·q over ascending queries, dq = Σ ds·k over
/// ascending keys, chains of products of operands rounded to bfloat16. Tiles of 96 keys, then of 128 queries.
/// </remarks>
internal unsafe struct CodedAttentionBackwardKernel : IKernel
{
    public CodedAttention Common;
    public Matrix O, DO, DQ, DKV;
    public float* LogSumExp, RopeScratch;

    /// <summary>Scratch for segments of so many queries.</summary>
    public static nint Bytes(in CodedAttention common, int queries)
    {
        var work = new Work(common, null, queries);
        return work.Bytes;
    }

    public readonly void Reference(int item, int worker) => new AttentionBackwardKernel
    {
        Op = Common.Op,
        O = O,
        DO = DO,
        DQ = DQ,
        DKV = DKV,
        LogSumExp = LogSumExp,
        RopeScratch = RopeScratch,
        Segments = Common.Segments,
        SegmentCount = Common.SegmentCount,
    }.Reference(item, worker);

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int head = item / Common.SegmentCount, segment = item % Common.SegmentCount;
        int first = Common.Segments[segment], last = Common.Segments[segment + 1], firstKey = Common.Op.Starts[first], keys = Common.Op.Ends[last - 1] - firstKey;
        int depth = Common.Depth, columns = Common.ValueColumns;
        var work = new Work(Common, Common.Room + worker * Common.RoomBytes, last - first);
        for (int query = first; query < last; query += CodedAttention.Queries) LoadQueries<TLanes>(work, head, first, query, Math.Min(CodedAttention.Queries, last - query));
        new Span<float>(work.DQ, checked((int)(depth * work.DQStride))).Clear();
        int from = first;
        for (int key = 0; key < keys; key += CodedAttention.Keys)
        {
            int count = Math.Min(CodedAttention.Keys, keys - key), at = firstKey + key;
            Common.StageValues(head, at, count, work.Stage);
            BFloat16Codes.Rows(work.Stage, columns, count, columns, work.Values, columns + 32);
            Common.StageKeys(head, at, count, work.Stage);
            BFloat16Codes.Rows(work.Stage, depth, count, depth, work.Keys, depth + 32);
            BFloat16Codes.Turned<PlainCode>(work.Stage, depth, count, depth, work.TurnedKeys, CodedAttention.CodeStride);
            new Span<float>(work.DK, CodedAttention.Keys * depth).Clear();
            new Span<float>(work.DV, CodedAttention.Keys * columns).Clear();
            while (Common.Op.Ends[from] <= at) from++;
            for (int query = first + (from - first) / CodedAttention.Queries * CodedAttention.Queries; query < last && Common.Op.Starts[query] < at + count; query += CodedAttention.Queries)
                AddTile<TLanes>(work, at, count, query, Math.Min(CodedAttention.Queries, last - query), query - first, Math.Max(0, from - query) & ~31);
            StoreKeys(work, head, at, count);
        }

        BFloat16Codes.Transpose(work.DQ, work.DQStride, Common.Op.Nope + Common.Op.Rope, last - first, DQ.Row(first) + head * (Common.Op.Nope + Common.Op.Rope), DQ.Stride);
    }

    private readonly void LoadQueries<TLanes>(in Work work, int head, int first, int query, int queries) where TLanes : struct, ILanes<TLanes>
    {
        int depth = Common.Depth, columns = Common.ValueColumns, tile = (query - first) / CodedAttention.Queries, value = Common.Op.Value;
        Common.StageQueries(head, query, queries, work.Stage);
        BFloat16Codes.Panels(work.Stage, depth, queries, depth, work.QueryPanels(tile), 32);
        BFloat16Codes.Pairs<PlainCode>(work.Stage, depth, queries, depth, work.QueryPairs(tile), CodedAttention.QueryPanel);
        ClearBehind(work.QueryPairs(tile), queries, depth);
        CodedAttention.Stage(DO.Row(query) + head * value, DO.Stride, value, null, 0, 0, queries, columns, work.Stage);
        BFloat16Codes.Panels(work.Stage, columns, queries, columns, work.OutPanels(tile), 32);
        BFloat16Codes.Pairs<PlainCode>(work.Stage, columns, queries, columns, work.OutPairs(tile), CodedAttention.QueryPanel);
        ClearBehind(work.OutPairs(tile), queries, columns);
        float* lse = work.LogSumExp + (query - first), dots = work.Dots + (query - first);
        for (int i = 0; i < queries; i++)
        {
            float* o = O.Row(query + i) + head * value, dO = work.Stage + i * columns;
            var sum = TLanes.Zero;
            int c = 0;
            for (; c <= value - 16; c += 16) sum = TLanes.FusedMultiplyAdd(TLanes.Load(o + c), TLanes.Load(dO + c), sum);
            if (c < value) sum = TLanes.FusedMultiplyAdd(LaneExtensions.LoadPart<TLanes>(o + c, value - c), LaneExtensions.LoadPart<TLanes>(dO + c, value - c), sum);
            dots[i] = sum.Sum();
            lse[i] = LogSumExp[(nint)head * Common.Op.Q.Rows + query + i] * Exponential.Log2E;
        }

        for (int i = queries; i < ((queries + 31) & ~31); i++) lse[i] = dots[i] = 0;
    }

    // Pairs are complete up to sixteen queries, products take 32.
    private static void ClearBehind(byte* panels, int queries, int columns)
    {
        int done = (queries + 15) & ~15;
        if ((done & 31) == 0) return;
        for (int c = 0; c < columns; c += 16) new Span<byte>(panels + c / 16 * (nint)CodedAttention.QueryPanel + done * 32, 16 * 32).Clear();
    }

    private readonly void AddTile<TLanes>(in Work work, int key, int keys, int query, int queries, int offset, int skipped) where TLanes : struct, ILanes<TLanes>
    {
        const int stride = CodedAttention.Stride, codeStride = CodedAttention.CodeStride;
        int depth = Common.Depth, columns = Common.ValueColumns, tile = offset / CodedAttention.Queries, width = ((queries + 31) & ~31) - skipped;
        query += skipped;
        queries -= skipped;
        Common.Product(work.Keys, (depth + 32) * sizeof(ushort), work.QueryPanels(tile) + skipped * depth * 2, 0, work.Scores, stride, keys, width, depth, false);
        Common.Product(work.Values, (columns + 32) * sizeof(ushort), work.OutPanels(tile) + skipped * columns * 2, 0, work.DScores, stride, keys, width, columns, false);
        bool whole = Common.Op.Starts[query + queries - 1] <= key && Common.Op.Ends[query] >= key + keys && queries == width;
        float* lse = work.LogSumExp + offset + skipped, dots = work.Dots + offset + skipped;
        int from = 0, to = 0;
        for (int r = 0; r < keys; r++)
        {
            Probabilities<TLanes>(work.Scores + r * stride, work.DScores + r * stride, lse, dots, width);
            if (whole) continue;
            Common.Seen(key + r, query, queries, ref from, ref to);
            CodedAttention.Outside(work.Scores + r * stride, from, to, width, 0);
            CodedAttention.Outside(work.DScores + r * stride, from, to, width, 0);
        }

        BFloat16Codes.Rows(work.Scores, stride, keys, width, work.Codes, codeStride);
        Common.Product(work.Codes, codeStride * sizeof(ushort), work.OutPairs(tile) + skipped * 32, CodedAttention.QueryPanel, work.DV, columns, keys, columns, width, true);
        BFloat16Codes.Rows(work.DScores, stride, keys, width, work.Codes, codeStride);
        Common.Product(work.Codes, codeStride * sizeof(ushort), work.QueryPairs(tile) + skipped * 32, CodedAttention.QueryPanel, work.DK, depth, keys, depth, width, true);
        BFloat16Codes.Pairs<PlainCode>(work.DScores, stride, keys, width, work.Pairs, CodedAttention.KeyPanel);
        Common.Product(work.TurnedKeys, codeStride * sizeof(ushort), work.Pairs, CodedAttention.KeyPanel, work.DQ + offset + skipped, work.DQStride, depth, width, keys, true);
    }

    // s ← p, dp ← p·(dp - D)·scale.
    private readonly void Probabilities<TLanes>(float* s, float* dp, float* lse, float* dots, int width) where TLanes : struct, ILanes<TLanes>
    {
        TLanes powers = TLanes.Broadcast(Common.PowerScale), scale = TLanes.Broadcast(Common.Op.Scale);
        for (int c = 0; c < width; c += 16)
        {
            var p = TLanes.PowerOfTwo(TLanes.FusedMultiplyAdd(TLanes.Load(s + c), powers, TLanes.Zero - TLanes.Load(lse + c)));
            TLanes.Store(p, s + c);
            TLanes.Store(p * (TLanes.Load(dp + c) - TLanes.Load(dots + c)) * scale, dp + c);
        }
    }

    private readonly void StoreKeys(in Work work, int head, int key, int keys)
    {
        int depth = Common.Depth, columns = Common.ValueColumns, nope = Common.Op.Nope, rope = Common.Op.Rope, value = Common.Op.Value;
        for (int r = 0; r < keys; r++)
        {
            float* to = DKV.Row(key + r) + head * (nope + value), dk = work.DK + r * depth;
            new ReadOnlySpan<float>(dk, nope).CopyTo(new Span<float>(to, nope));
            new ReadOnlySpan<float>(work.DV + r * columns, value).CopyTo(new Span<float>(to + nope, value));
            new ReadOnlySpan<float>(dk + nope, rope).CopyTo(new Span<float>(RopeScratch + ((nint)head * Common.Op.KV.Rows + key + r) * rope, rope));
        }
    }

    /// <summary>The scratch of a worker.</summary>
    private readonly struct Work
    {
        private readonly byte* _queryPanels, _queryPairs, _outPanels, _outPairs;
        private readonly nint _panelBytes, _pairBytes, _outPanelBytes, _outPairBytes;

        public Work(in CodedAttention common, byte* room, int queries)
        {
            const int keys = CodedAttention.Keys, stride = CodedAttention.Stride, codeStride = CodedAttention.CodeStride;
            byte* at = room;
            int depth = common.Depth, columns = common.ValueColumns, tiles = CodedAttention.QueryTiles(queries);
            nint padded = tiles * CodedAttention.Queries;
            (_panelBytes, _outPanelBytes) = (CodedAttention.Queries * depth * sizeof(ushort), CodedAttention.Queries * columns * sizeof(ushort));
            (_pairBytes, _outPairBytes) = (depth / 16 * CodedAttention.QueryPanel, columns / 16 * CodedAttention.QueryPanel);
            DQStride = padded + 16;
            Scores = (float*)CodedAttention.Take(ref at, keys * stride * sizeof(float));
            DScores = (float*)CodedAttention.Take(ref at, keys * stride * sizeof(float));
            Stage = (float*)CodedAttention.Take(ref at, CodedAttention.Queries * Math.Max(depth, columns) * sizeof(float));
            Codes = (ushort*)CodedAttention.Take(ref at, keys * codeStride * sizeof(ushort));
            Pairs = CodedAttention.Take(ref at, CodedAttention.Queries / 16 * CodedAttention.KeyPanel);
            Keys = (ushort*)CodedAttention.Take(ref at, keys * (depth + 32) * sizeof(ushort));
            TurnedKeys = (ushort*)CodedAttention.Take(ref at, depth * codeStride * sizeof(ushort));
            Values = (ushort*)CodedAttention.Take(ref at, keys * (columns + 32) * sizeof(ushort));
            DK = (float*)CodedAttention.Take(ref at, keys * depth * sizeof(float));
            DV = (float*)CodedAttention.Take(ref at, keys * columns * sizeof(float));
            LogSumExp = (float*)CodedAttention.Take(ref at, padded * sizeof(float));
            Dots = (float*)CodedAttention.Take(ref at, padded * sizeof(float));
            _queryPanels = CodedAttention.Take(ref at, tiles * _panelBytes);
            _queryPairs = CodedAttention.Take(ref at, tiles * _pairBytes);
            _outPanels = CodedAttention.Take(ref at, tiles * _outPanelBytes);
            _outPairs = CodedAttention.Take(ref at, tiles * _outPairBytes);
            DQ = (float*)CodedAttention.Take(ref at, depth * DQStride * sizeof(float));
            Bytes = (nint)(at - room);
        }

        /// <summary>Sᵀ of a tile, then probabilities.</summary>
        public float* Scores { get; }

        /// <summary>(do·v)ᵀ of a tile, then gradients of the scores.</summary>
        public float* DScores { get; }

        /// <summary>Rows of FP32 on their way to codes.</summary>
        public float* Stage { get; }

        /// <summary>A tile as left operand.</summary>
        public ushort* Codes { get; }

        /// <summary>A tile as panels, keys being the depth.</summary>
        public byte* Pairs { get; }

        /// <summary>Keys of a tile as rows.</summary>
        public ushort* Keys { get; }

        /// <summary>Keys of a tile, a column to a row.</summary>
        public ushort* TurnedKeys { get; }

        /// <summary>Values of a tile as rows.</summary>
        public ushort* Values { get; }

        public float* DK { get; }

        public float* DV { get; }

        /// <summary>In powers of two.</summary>
        public float* LogSumExp { get; }

        /// <summary>Σ do·o of each query.</summary>
        public float* Dots { get; }

        /// <summary>dQᵀ of the segment.</summary>
        public float* DQ { get; }

        public nint DQStride { get; }

        public nint Bytes { get; }

        /// <summary>Queries of a tile as panels, columns being the depth.</summary>
        public byte* QueryPanels(int tile) => _queryPanels + tile * _panelBytes;

        /// <summary>The same, queries being the depth.</summary>
        public byte* QueryPairs(int tile) => _queryPairs + tile * _pairBytes;

        /// <summary>Gradients of the outputs as panels, columns being the depth.</summary>
        public byte* OutPanels(int tile) => _outPanels + tile * _outPanelBytes;

        /// <summary>The same, queries being the depth.</summary>
        public byte* OutPairs(int tile) => _outPairs + tile * _outPairBytes;
    }
}
