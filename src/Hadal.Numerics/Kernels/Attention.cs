using Hadal.Numerics.Formats;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Operands that the forward and the backward of expanded attention share; rows are tokens, heads lie side by side in the columns.</summary>
internal unsafe struct AttentionOperands
{
    public const int Block = 64;
    public Matrix Q, KV, KRope;
    public int* Starts, Ends;
    public int Heads, Nope, Rope, Value;
    public float Scale;

    /// <summary>Whether the scalar form rounds the operands of products to bfloat16 (all but probabilities and their gradients).</summary>
    public bool Rounded;

    /// <summary>An operand of a product in the scalar form.</summary>
    public readonly double Operand(float value) => Rounded ? BFloat16.ToSingle(PanelCodes.Narrow(value)) : value;

    public readonly float* QNope(int query, int head) => Q.Row(query) + head * (Nope + Rope);

    public readonly float* KNope(int key, int head) => KV.Row(key) + head * (Nope + Value);

    public readonly float* V(int key, int head) => KV.Row(key) + head * (Nope + Value) + Nope;

    /// <summary>s[queries, keys] = q_nope·k_nopeᵀ + q_rope·k_ropeᵀ, rows 64 apart.</summary>
    public readonly void Scores(int head, int query, int queries, int key, int keys, float* s, KernelForm form)
    {
        Product(form, QNope(query, head), Q.Stride, false, KNope(key, head), KV.Stride, true, s, Block, queries, keys, Nope, false);
        Product(form, QNope(query, head) + Nope, Q.Stride, false, KRope.Row(key), KRope.Stride, true, s, Block, queries, keys, Rope, true);
    }

    public static void Product(
        KernelForm form, float* a, nint lda, bool transposeA, float* b, nint ldb, bool transposeB, float* c, nint ldc, int m, int n, int k, bool accumulate) =>
        Gemm.RunSingle(new GemmProblem
        {
            A = a,
            Lda = lda,
            TransposeA = transposeA,
            B = b,
            Ldb = ldb,
            TransposeB = transposeB,
            C = c,
            Ldc = ldc,
            M = m,
            N = n,
            K = k,
            Accumulate = accumulate,
        }, GemmScratch.Current, form);
}

/// <summary>Up to 64 queries of a segment.</summary>
/// <param name="First">The first one.</param>
/// <param name="Count">How many.</param>
/// <param name="FirstKey">The first key of the segment.</param>
internal readonly record struct AttentionQueries(int First, int Count, int FirstKey);

/// <summary>o = softmax(scale·q·k)·v per head, with log Σ e^(scale·q·k) kept for the backward.</summary>
/// <remarks>
/// The vector form takes blocks of 64 queries and 64 keys, counted from the first of their segment, with a running maximum and sum per query. Keys outside a query's
/// range have probability 0 and change nothing, bit for bit, so a query's result depends on its own range and its segment's first key only.
/// </remarks>
internal unsafe struct AttentionKernel : IKernel
{
    public AttentionOperands Op;
    public Matrix O;
    public float* LogSumExp;
    public AttentionQueries* Blocks;
    public int BlockCount;
    public KernelForm Form;

    public readonly void Reference(int item, int worker)
    {
        var queries = Blocks[item % BlockCount];
        Reference(item / BlockCount, queries.First, queries.First + queries.Count);
    }

    public readonly void Reference(int head, int first, int last)
    {
        for (int i = first; i < last; i++)
        {
            float* q = Op.QNope(i, head);
            float* o = O.Row(i) + head * Op.Value;
            double max = double.NegativeInfinity, sum = 0;
            for (int j = Op.Starts[i]; j < Op.Ends[i]; j++) max = Math.Max(max, Score(q, j, head));
            for (int j = Op.Starts[i]; j < Op.Ends[i]; j++) sum += Math.Exp(Score(q, j, head) - max);
            for (int c = 0; c < Op.Value; c++)
            {
                double value = 0;
                for (int j = Op.Starts[i]; j < Op.Ends[i]; j++) value += Math.Exp(Score(q, j, head) - max) / sum * Op.Operand(Op.V(j, head)[c]);
                o[c] = (float)value;
            }

            if (LogSumExp != null) LogSumExp[(nint)head * Op.Q.Rows + i] = (float)(max + Math.Log(sum));
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        const int block = AttentionOperands.Block;
        int head = item / BlockCount;
        var (first, queries, firstKey) = Blocks[item % BlockCount];
        float* s = stackalloc float[block * block];
        float* max = stackalloc float[block];
        float* sum = stackalloc float[block];
        float* o = O.Row(first) + head * Op.Value;
        for (int i = 0; i < queries; i++)
        {
            max[i] = float.NegativeInfinity;
            sum[i] = 0;
            new Span<float>(o + i * O.Stride, Op.Value).Clear();
        }

        int end = Op.Ends[first + queries - 1];
        for (int key = firstKey + (Op.Starts[first] - firstKey) / block * block; key < end; key += block)
        {
            int keys = Math.Min(block, end - key);
            Op.Scores(head, first, queries, key, keys, s, Form);
            for (int i = 0; i < queries; i++)
            {
                float* row = s + i * block;
                int from = Math.Max(Op.Starts[first + i] - key, 0), to = Math.Min(Op.Ends[first + i] - key, keys);
                if (from >= to)
                {
                    new Span<float>(row, block).Clear();
                    continue;
                }

                new Span<float>(row, from).Fill(float.NegativeInfinity);
                new Span<float>(row + to, block - to).Fill(float.NegativeInfinity);
                Rescale<TLanes>(row, max + i, sum + i, o + i * O.Stride);
            }

            AttentionOperands.Product(Form, s, block, false, Op.V(key, head), Op.KV.Stride, false, o, O.Stride, queries, Op.Value, keys, true);
        }

        for (int i = 0; i < queries; i++)
        {
            float inverse = 1 / sum[i];
            float* row = o + i * O.Stride;
            for (int c = 0; c < Op.Value; c++) row[c] *= inverse;
            if (LogSumExp != null) LogSumExp[(nint)head * Op.Q.Rows + first + i] = max[i] + MathF.Log(sum[i]);
        }
    }

    // Turns a row of scores into e^(scale·s - new maximum) and brings the sums so far to the new maximum.
    private readonly void Rescale<TLanes>(float* row, float* max, float* sum, float* o) where TLanes : struct, ILanes<TLanes>
    {
        var scale = TLanes.Broadcast(Op.Scale);
        TLanes s0 = TLanes.Load(row) * scale, s1 = TLanes.Load(row + 16) * scale, s2 = TLanes.Load(row + 32) * scale, s3 = TLanes.Load(row + 48) * scale;
        float peak = MathF.Max(*max, TLanes.Max(TLanes.Max(s0, s1), TLanes.Max(s2, s3)).Maximum());
        if (peak > *max)
        {
            float correction = MathF.Exp(*max - peak);
            *sum *= correction;
            for (int c = 0; c < Op.Value; c++) o[c] *= correction;
            *max = peak;
        }

        var shift = TLanes.Broadcast(peak);
        s0 = TLanes.Exp(s0 - shift);
        s1 = TLanes.Exp(s1 - shift);
        s2 = TLanes.Exp(s2 - shift);
        s3 = TLanes.Exp(s3 - shift);
        *sum += (s0 + s1 + (s2 + s3)).Sum();
        TLanes.Store(s0, row);
        TLanes.Store(s1, row + 16);
        TLanes.Store(s2, row + 32);
        TLanes.Store(s3, row + 48);
    }

    private readonly double Score(float* q, int key, int head)
    {
        double score = 0;
        for (int c = 0; c < Op.Nope; c++) score += Op.Operand(q[c]) * Op.Operand(Op.KNope(key, head)[c]);
        for (int c = 0; c < Op.Rope; c++) score += Op.Operand(q[Op.Nope + c]) * Op.Operand(Op.KRope.Row(key)[c]);
        return score * Op.Scale;
    }
}

/// <summary>
/// With p = e^(scale·q·k - lse), D = Σ do·o: dv = Σ p·do, ds = p·(do·v - D)·scale, dq = Σ ds·k, dk = Σ ds·q. An item is a head of a segment (queries that
/// share no keys with other segments), worked through in ascending blocks of queries, then keys.
/// </summary>
internal unsafe struct AttentionBackwardKernel : IKernel
{
    public AttentionOperands Op;
    public Matrix O, DO, DQ, DKV;
    public float* LogSumExp, RopeScratch;

    /// <summary>First query of each segment, and the number of queries at the end.</summary>
    public int* Segments;
    public int SegmentCount;
    public KernelForm Form;

    public readonly void Reference(int item, int worker)
    {
        int head = item / SegmentCount, first = Segments[item % SegmentCount], last = Segments[item % SegmentCount + 1];
        Clear(head, first, last);
        for (int i = first; i < last; i++)
        {
            float* q = Op.QNope(i, head);
            float* dq = DQ.Row(i) + head * (Op.Nope + Op.Rope);
            float* dO = DO.Row(i) + head * Op.Value;
            double dot = Dot(dO, O.Row(i) + head * Op.Value, Op.Value);
            for (int j = Op.Starts[i]; j < Op.Ends[i]; j++)
            {
                double score = (Product(q, Op.KNope(j, head), Op.Nope) + Product(q + Op.Nope, Op.KRope.Row(j), Op.Rope)) * Op.Scale;
                double p = Math.Exp(score - LogSumExp[(nint)head * Op.Q.Rows + i]);
                double ds = p * (Product(dO, Op.V(j, head), Op.Value) - dot) * Op.Scale;
                float* dk = DKV.Row(j) + head * (Op.Nope + Op.Value);
                float* dr = RopeGradient(j, head);
                for (int c = 0; c < Op.Value; c++) dk[Op.Nope + c] += (float)(p * Op.Operand(dO[c]));
                for (int c = 0; c < Op.Nope; c++)
                {
                    dq[c] += (float)(ds * Op.Operand(Op.KNope(j, head)[c]));
                    dk[c] += (float)(ds * Op.Operand(q[c]));
                }

                for (int c = 0; c < Op.Rope; c++)
                {
                    dq[Op.Nope + c] += (float)(ds * Op.Operand(Op.KRope.Row(j)[c]));
                    dr[c] += (float)(ds * Op.Operand(q[Op.Nope + c]));
                }
            }
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        const int block = AttentionOperands.Block;
        int head = item / SegmentCount, first = Segments[item % SegmentCount], last = Segments[item % SegmentCount + 1];
        Clear(head, first, last);
        float* p = stackalloc float[block * block];
        float* dp = stackalloc float[block * block];
        float* dot = stackalloc float[block];
        for (int query = first; query < last; query += block)
        {
            int queries = Math.Min(block, last - query);
            float* q = Op.QNope(query, head);
            float* dq = DQ.Row(query) + head * (Op.Nope + Op.Rope);
            float* dO = DO.Row(query) + head * Op.Value;
            for (int i = 0; i < queries; i++) dot[i] = (float)Dot(dO + i * DO.Stride, O.Row(query + i) + head * Op.Value, Op.Value);

            int end = Op.Ends[query + queries - 1];
            for (int key = Op.Starts[query]; key < end; key += block)
            {
                int keys = Math.Min(block, end - key);
                Op.Scores(head, query, queries, key, keys, p, Form);
                AttentionOperands.Product(Form, dO, DO.Stride, false, Op.V(key, head), Op.KV.Stride, true, dp, block, queries, keys, Op.Value, false);
                for (int i = 0; i < queries; i++)
                {
                    int from = Math.Clamp(Op.Starts[query + i] - key, 0, keys), to = Math.Clamp(Op.Ends[query + i] - key, 0, keys);
                    Probabilities<TLanes>(p + i * block, dp + i * block, keys, from, to, LogSumExp[(nint)head * Op.Q.Rows + query + i], dot[i]);
                }

                float* dk = DKV.Row(key) + head * (Op.Nope + Op.Value);
                nint qs = Op.Q.Stride, kvs = Op.KV.Stride;
                AttentionOperands.Product(Form, p, block, true, dO, DO.Stride, false, dk + Op.Nope, DKV.Stride, keys, Op.Value, queries, true);
                AttentionOperands.Product(Form, dp, block, true, q, qs, false, dk, DKV.Stride, keys, Op.Nope, queries, true);
                AttentionOperands.Product(Form, dp, block, true, q + Op.Nope, qs, false, RopeGradient(key, head), Op.Rope, keys, Op.Rope, queries, true);
                AttentionOperands.Product(Form, dp, block, false, Op.KNope(key, head), kvs, false, dq, DQ.Stride, queries, Op.Nope, keys, true);
                AttentionOperands.Product(Form, dp, block, false, Op.KRope.Row(key), Op.KRope.Stride, false, dq + Op.Nope, DQ.Stride, queries, Op.Rope, keys, true);
            }
        }
    }

    // p ← e^(scale·s - lse) within the query's range, 0 outside; dp ← p·(dp - D)·scale.
    private readonly void Probabilities<TLanes>(float* p, float* dp, int keys, int from, int to, float logSumExp, float dot)
        where TLanes : struct, ILanes<TLanes>
    {
        for (int c = keys; c < AttentionOperands.Block; c++) p[c] = dp[c] = 0;
        var scale = TLanes.Broadcast(Op.Scale);
        for (int c = 0; c < AttentionOperands.Block; c += 16)
        {
            var probability = TLanes.Exp(TLanes.Load(p + c) * scale - TLanes.Broadcast(logSumExp));
            TLanes.Store(probability, p + c);
            TLanes.Store(probability * (TLanes.Load(dp + c) - TLanes.Broadcast(dot)) * scale, dp + c);
        }

        new Span<float>(p, from).Clear();
        new Span<float>(dp, from).Clear();
        new Span<float>(p + to, keys - to).Clear();
        new Span<float>(dp + to, keys - to).Clear();
    }

    private readonly float* RopeGradient(int key, int head) => RopeScratch + ((nint)head * Op.KV.Rows + key) * Op.Rope;

    private readonly void Clear(int head, int first, int last)
    {
        for (int i = first; i < last; i++) new Span<float>(DQ.Row(i) + head * (Op.Nope + Op.Rope), Op.Nope + Op.Rope).Clear();
        for (int j = Op.Starts[first]; j < Op.Ends[last - 1]; j++)
        {
            new Span<float>(DKV.Row(j) + head * (Op.Nope + Op.Value), Op.Nope + Op.Value).Clear();
            new Span<float>(RopeGradient(j, head), Op.Rope).Clear();
        }
    }

    private readonly double Product(float* a, float* b, int count)
    {
        double sum = 0;
        for (int c = 0; c < count; c++) sum += Op.Operand(a[c]) * Op.Operand(b[c]);
        return sum;
    }

    private static double Dot(float* a, float* b, int count)
    {
        double sum = 0;
        for (int c = 0; c < count; c++) sum += (double)a[c] * b[c];
        return sum;
    }
}
