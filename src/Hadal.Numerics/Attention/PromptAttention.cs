using System.Runtime.Intrinsics;
using Hadal.Numerics.Formats;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Attention of a prompt in bfloat16, after <see cref="PromptExpansion"/>: a head's block of queries per item.</summary>
/// <remarks>
/// <para>
/// A block of 256 keys is used by all queries of the item, a tile of them at a time, while it lies in the second-level cache: scores (one chain of bfloat16 dot products as in
/// <see cref="PanelGemm"/>), weights relative to the largest score so far, weights rounded to bfloat16 times values. The weighted sum of a column is one chain over
/// all keys in ascending order, multiplied by a correction wherever a block brings a larger score. The sum of weights has sixteen parts: key j belongs to part
/// j mod 16.
/// </para>
/// <para>
/// Blocks start at multiples of 256, a key beyond a query's end has weight 0 and changes nothing, and blocks beyond its end are left out: so the bits of a result depend on the
/// query and its keys alone.
/// </para>
/// </remarks>
internal unsafe partial struct PromptAttentionKernel : IKernel
{
    public PromptShape Shape;
    public Matrix Q, O;
    public int* Ends;
    public float Scale;
    public KernelForm Form;

    /// <summary>The first of the heads whose keys and values there are, and their blocks, [heads][blocks].</summary>
    public int FirstHead, Blocks;
    public byte* Panels;

    /// <summary>Queries of an item, and how many items a head has.</summary>
    public int Queries, QueryBlocks;
    public byte* Workers;
    public nint WorkerBytes;

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        // A head's items follow one another while its keys and values lie in a cache. Later queries see more keys. They come first: items that are short at the end leave
        // little to wait for.
        int first = (QueryBlocks - 1 - item % QueryBlocks) * Queries, queries = Math.Min(Queries, Q.Rows - first), head = item / QueryBlocks;
        var work = new PromptWork(Workers + worker * WorkerBytes, Shape);
        LoadQueries(first, queries, FirstHead + head, work);
        for (int i = 0; i < queries; i++)
        {
            work.Peaks[i] = float.NegativeInfinity;
            TLanes.Store(TLanes.Zero, work.Sums + i * 16);
        }

        byte* panels = Panels + (nint)head * Blocks * Shape.BlockBytes;
        int tiles = (queries + Shape.TileQueries - 1) / Shape.TileQueries, height = (queries + tiles - 1) / tiles;
        int end = Ends[first + queries - 1];
        for (int key = 0; key < end; key += PromptShape.BlockKeys, panels += Shape.BlockBytes)
        {
            for (int query = 0; query < queries; query += height)
            {
                int rows = Math.Min(height, queries - query), keys = Math.Min(PromptShape.BlockKeys, Ends[first + query + rows - 1] - key);
                if (keys <= 0) continue;
                if (Shape.Assembled)
                {
                    if (key + PromptShape.BlockKeys < end) Fetch(panels + Shape.BlockBytes, query / height, tiles);
                    Score(panels, query, rows, keys, work);
                    for (int i = 0; i < rows; i++) Weigh(query + i, i, Math.Clamp(Ends[first + query + i] - key, 0, keys), keys, work);
                    AddValues(panels + Shape.KeyBytes, query, rows, keys, key > 0, work);
                    continue;
                }

                ScorePortable(panels, query, rows, keys, work);
                for (int i = 0; i < rows; i++) WeighPortable<TLanes>(query + i, i, Math.Clamp(Ends[first + query + i] - key, 0, keys), keys, work);
                AddValuesPortable(panels + Shape.KeyBytes, query, rows, keys, key > 0, work);
            }
        }

        Finish<TLanes>(first, queries, FirstHead + head, work);
    }

    /// <summary>As the formula says it, in FP64, with queries, keys and values as they were rounded.</summary>
    public readonly void Reference(int item, int worker)
    {
        int first = (QueryBlocks - 1 - item % QueryBlocks) * Queries, head = item / QueryBlocks;
        byte* panels = Panels + (nint)head * Blocks * Shape.BlockBytes;
        for (int i = first; i < Math.Min(Q.Rows, first + Queries); i++)
        {
            float* q = Q.Row(i) + (nint)(FirstHead + head) * (Shape.Nope + Shape.Rope);
            double max = double.NegativeInfinity, sum = 0;
            for (int j = 0; j < Ends[i]; j++) max = Math.Max(max, ReferenceScore(panels, q, j));
            for (int j = 0; j < Ends[i]; j++) sum += Math.Exp(ReferenceScore(panels, q, j) - max);
            for (int c = 0; c < Shape.Value; c++)
            {
                double value = 0;
                for (int j = 0; j < Ends[i]; j++)
                {
                    float* values = (float*)(panels + j / PromptShape.BlockKeys * Shape.BlockBytes + Shape.KeyBytes);
                    value += Math.Exp(ReferenceScore(panels, q, j) - max) / sum * values[(j % PromptShape.BlockKeys ^ 1) * Shape.ValueColumns + c];
                }

                O.Row(i)[(nint)(FirstHead + head) * Shape.Value + c] = (float)value;
            }
        }
    }

    private readonly double ReferenceScore(byte* panels, float* q, int key)
    {
        float* keys = (float*)(panels + key / PromptShape.BlockKeys * Shape.BlockBytes) + key % PromptShape.BlockKeys;
        double score = 0;
        for (int c = 0; c < Shape.Nope + Shape.Rope; c++) score += (double)BFloat16.ToSingle(PanelCodes.Narrow(q[c])) * keys[(c ^ 1) * PromptShape.ScoreStride];
        return score * Scale;
    }

    private readonly void LoadQueries(int first, int queries, int head, in PromptWork work)
    {
        int columns = Shape.Nope + Shape.Rope;
        nint stride = PromptWork.QueryStride(Shape);
        for (int i = 0; i < queries; i++)
        {
            float* q = Q.Row(first + i) + (nint)head * columns;
            byte* to = work.Queries + i * stride;
            if (Shape.Assembled)
            {
                ActivationCoding.Narrow(q, columns, (ushort*)to, Shape.Depth);
                continue;
            }

            for (int c = 0; c < Shape.Depth; c++) ((float*)to)[c ^ 1] = c < columns ? BFloat16.ToSingle(PanelCodes.Narrow(q[c])) : 0;
        }
    }

    // Scores of the keys that a query sees to weights relative to the new maximum, rounded to bfloat16, and zeros behind them. The two of a pair change places, and subnormals
    // become zero.
    private readonly void WeighPortable<TLanes>(int query, int row, int seen, int keys, in PromptWork work) where TLanes : struct, ILanes<TLanes>
    {
        float* scores = work.Scores + row * PromptShape.ScoreStride;
        int padded = (seen + 15) & ~15;
        if (seen > 0)
        {
            for (int key = seen; key < padded; key++) scores[key] = float.NegativeInfinity;
            var peaks = TLanes.Load(scores);
            for (int key = 16; key < padded; key += 16) peaks = TLanes.Max(peaks, TLanes.Load(scores + key));
            float peak = Correct<TLanes>(query, peaks.Maximum(), work);
            TLanes scale = TLanes.Broadcast(Scale * Exponential.Log2E), shift = TLanes.Broadcast(-peak), total = TLanes.Load(work.Sums + query * 16);
            for (int key = 0; key < padded; key += 16)
            {
                TLanes.Store(TLanes.PowerOfTwo(TLanes.FusedMultiplyAdd(TLanes.Load(scores + key), scale, shift)), scores + key);
                for (int i = seen; i < key + 16; i++) scores[i] = 0;
                total += TLanes.Load(scores + key);
            }

            TLanes.Store(total, work.Sums + query * 16);
        }

        for (int key = 0; key < padded; key += 4)
        {
            var bits = Vector128.Load((uint*)scores + key);
            bits = (bits + Vector128.Create(0x7FFFu) + (Vector128.ShiftRightLogical(bits, 16) & Vector128<uint>.One)) & Vector128.Create(0xFFFF0000u);
            bits = Vector128.AndNot(bits, Vector128.Equals(bits & Vector128.Create(0x7F800000u), Vector128<uint>.Zero));
            var pairs = bits.AsUInt64();
            (Vector128.ShiftLeft(pairs, 32) | Vector128.ShiftRightLogical(pairs, 32)).Store((ulong*)(scores + key));
        }

        for (int key = padded; key < (keys + 15 & ~15); key++) scores[key] = 0;
    }

    // The largest score so far, in powers of two; what was summed up so far follows it.
    private readonly float Correct<TLanes>(int query, float score, in PromptWork work) where TLanes : struct, ILanes<TLanes>
    {
        float before = work.Peaks[query], peak = score * (Scale * Exponential.Log2E);
        if (!(peak > before)) return before;
        work.Peaks[query] = peak;

        // Before the first block there is nothing to correct.
        if (before == float.NegativeInfinity) return peak;
        var factor = TLanes.PowerOfTwo(TLanes.Broadcast(before - peak));
        float* sums = work.Sums + query * 16, output = work.Output + (nint)query * Shape.ValueColumns;
        TLanes.Store(TLanes.Load(sums) * factor, sums);
        for (int c = 0; c < Shape.ValueColumns; c += 16) TLanes.Store(TLanes.Load(output + c) * factor, output + c);
        return peak;
    }

    private readonly void ScorePortable(byte* panels, int query, int rows, int keys, in PromptWork work)
    {
        nint stride = PromptWork.QueryStride(Shape) / sizeof(float);
        float* q = (float*)work.Queries + query * stride;
        AttentionOperands.Product(
            Form, q, stride, false, (float*)panels, PromptShape.ScoreStride, false, work.Scores, PromptShape.ScoreStride, rows, keys, Shape.Depth, false);
    }

    private readonly void AddValuesPortable(byte* values, int query, int rows, int keys, bool accumulate, in PromptWork work) => AttentionOperands.Product(
        Form, work.Scores, PromptShape.ScoreStride, false, (float*)values, Shape.ValueColumns, false, work.Output + (nint)query * Shape.ValueColumns, Shape.ValueColumns, rows,
        Shape.ValueColumns, (keys + 15) & ~15, accumulate);

    private readonly void Finish<TLanes>(int first, int queries, int head, in PromptWork work) where TLanes : struct, ILanes<TLanes>
    {
        for (int i = 0; i < queries; i++)
        {
            var inverse = TLanes.Broadcast(1 / TLanes.Load(work.Sums + i * 16).Sum());
            float* from = work.Output + (nint)i * Shape.ValueColumns, to = O.Row(first + i) + (nint)head * Shape.Value;
            for (int c = 0; c < Shape.Value; c += 16)
            {
                var value = TLanes.Load(from + c) * inverse;
                if (c + 16 <= Shape.Value) TLanes.Store(value, to + c);
                else LaneExtensions.StorePart(value, to + c, Shape.Value - c);
            }
        }
    }
}
