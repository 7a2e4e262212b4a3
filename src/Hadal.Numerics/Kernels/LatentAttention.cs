using System.Runtime.CompilerServices;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Absorbed attention of one query row and a few heads per item, on the paged latent cache (section 3.3 of the specification).</summary>
/// <remarks>
/// Pages are taken in ascending order with a running maximum and sum. A score is a dot product over sixteen partial sums, latent columns first, then rope
/// columns. The result of a row depends on nothing but its query, its length and its pages, so decoding one row or verifying several gives the same bits.
/// </remarks>
internal unsafe struct LatentAttentionKernel : IKernel
{
    /// <summary>Heads that share one reading of the cache.</summary>
    public const int HeadsPerItem = 8;
    private const int MostPageTokens = 256;

    public Matrix QLatent, QRope, O;
    public byte* Cache;
    public nint CacheStride;
    public bool BFloat16;
    public int PageTokens, Heads, Rank, Rope, TableStride;
    public int* PageTables, Sequences, Lengths;
    public float Scale;

    public readonly void Reference(int item, int worker)
    {
        int groups = (Heads + HeadsPerItem - 1) / HeadsPerItem, row = item / groups, firstHead = item % groups * HeadsPerItem;
        int length = Lengths[row];
        for (int head = firstHead; head < Math.Min(Heads, firstHead + HeadsPerItem); head++)
        {
            float* q = QLatent.Row(row) + head * Rank;
            float* qr = QRope.Row(row * Heads + head);
            float* o = O.Row(row) + head * Rank;
            double max = double.NegativeInfinity, sum = 0;
            for (int j = 0; j < length; j++) max = Math.Max(max, Score(q, qr, row, j));
            for (int j = 0; j < length; j++) sum += Math.Exp(Score(q, qr, row, j) - max);
            for (int c = 0; c < Rank; c++)
            {
                double value = 0;
                for (int j = 0; j < length; j++) value += Math.Exp(Score(q, qr, row, j) - max) / sum * Cached(row, j, c);
                o[c] = (float)value;
            }
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int groups = (Heads + HeadsPerItem - 1) / HeadsPerItem, row = item / groups, firstHead = item % groups * HeadsPerItem;
        int heads = Math.Min(HeadsPerItem, Heads - firstHead), length = Lengths[row];
        float* s = stackalloc float[HeadsPerItem * MostPageTokens];
        float* max = stackalloc float[HeadsPerItem];
        float* sum = stackalloc float[HeadsPerItem];
        for (int h = 0; h < heads; h++)
        {
            max[h] = float.NegativeInfinity;
            sum[h] = 0;
            new Span<float>(O.Row(row) + (firstHead + h) * Rank, Rank).Clear();
        }

        for (int start = 0; start < length; start += PageTokens)
        {
            int tokens = Math.Min(PageTokens, length - start);
            nint first = (nint)PageTables[(nint)Sequences[row] * TableStride + start / PageTokens] * PageTokens;
            for (int j = 0; j < tokens; j++)
            {
                for (int h = 0; h < heads; h++)
                {
                    int head = firstHead + h;
                    s[h * MostPageTokens + j] = Scale * Dot<TLanes>(QLatent.Row(row) + head * Rank, QRope.Row(row * Heads + head), first + j);
                }
            }

            for (int h = 0; h < heads; h++)
            {
                float* o = O.Row(row) + (firstHead + h) * Rank;
                Weigh<TLanes>(s + h * MostPageTokens, tokens, max + h, sum + h, o);
                Accumulate<TLanes>(s + h * MostPageTokens, first, tokens, o);
            }
        }

        for (int h = 0; h < heads; h++)
        {
            float inverse = 1 / sum[h];
            float* o = O.Row(row) + (firstHead + h) * Rank;
            for (int c = 0; c < Rank; c++) o[c] *= inverse;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly TLanes LoadCached<TLanes>(nint slot, int column) where TLanes : struct, ILanes<TLanes> => BFloat16
        ? TLanes.LoadBFloat16((ushort*)Cache + slot * CacheStride + column)
        : TLanes.Load((float*)Cache + slot * CacheStride + column);

    private readonly float CachedAt(nint slot, int column) => BFloat16
        ? BitConverter.UInt32BitsToSingle((uint)((ushort*)Cache)[slot * CacheStride + column] << 16)
        : ((float*)Cache)[slot * CacheStride + column];

    private readonly float Cached(int row, int token, int column) =>
        CachedAt((nint)PageTables[(nint)Sequences[row] * TableStride + token / PageTokens] * PageTokens + token % PageTokens, column);

    private readonly double Score(float* q, float* qr, int row, int token)
    {
        double score = 0;
        for (int c = 0; c < Rank; c++) score += (double)q[c] * Cached(row, token, c);
        for (int c = 0; c < Rope; c++) score += (double)qr[c] * Cached(row, token, Rank + c);
        return score * Scale;
    }

    private readonly float Dot<TLanes>(float* q, float* qr, nint slot) where TLanes : struct, ILanes<TLanes>
    {
        var sum = TLanes.Zero;
        int wholeRank = Rank & ~15, wholeRope = Rope & ~15;
        for (int c = 0; c < wholeRank; c += 16) sum = TLanes.FusedMultiplyAdd(TLanes.Load(q + c), LoadCached<TLanes>(slot, c), sum);
        for (int c = 0; c < wholeRope; c += 16) sum = TLanes.FusedMultiplyAdd(TLanes.Load(qr + c), LoadCached<TLanes>(slot, Rank + c), sum);
        float dot = sum.Sum();
        for (int c = wholeRank; c < Rank; c++) dot = MathF.FusedMultiplyAdd(q[c], CachedAt(slot, c), dot);
        for (int c = wholeRope; c < Rope; c++) dot = MathF.FusedMultiplyAdd(qr[c], CachedAt(slot, Rank + c), dot);
        return dot;
    }

    // Scores of a page → weights relative to the new maximum; what was summed before is brought to it.
    private readonly void Weigh<TLanes>(float* s, int tokens, float* max, float* sum, float* o) where TLanes : struct, ILanes<TLanes>
    {
        float peak = *max;
        for (int j = 0; j < tokens; j++) peak = MathF.Max(peak, s[j]);
        if (peak > *max)
        {
            float correction = MathF.Exp(*max - peak);
            *sum *= correction;
            for (int c = 0; c < Rank; c++) o[c] *= correction;
            *max = peak;
        }

        int padded = (tokens + 15) & ~15;
        for (int j = tokens; j < padded; j++) s[j] = float.NegativeInfinity;
        var total = TLanes.Zero;
        for (int j = 0; j < padded; j += 16)
        {
            var weight = TLanes.Exp(TLanes.Load(s + j) - TLanes.Broadcast(peak));
            TLanes.Store(weight, s + j);
            total += weight;
        }

        *sum += total.Sum();
    }

    // o += Σ_j s_j·c_j, j ascending, in strips of 64 columns kept in registers.
    private readonly void Accumulate<TLanes>(float* s, nint first, int tokens, float* o) where TLanes : struct, ILanes<TLanes>
    {
        int column = 0;
        for (; column + 64 <= Rank; column += 64)
        {
            TLanes a = TLanes.Load(o + column), b = TLanes.Load(o + column + 16), c = TLanes.Load(o + column + 32), d = TLanes.Load(o + column + 48);
            for (int j = 0; j < tokens; j++)
            {
                var weight = TLanes.Broadcast(s[j]);
                a = TLanes.FusedMultiplyAdd(weight, LoadCached<TLanes>(first + j, column), a);
                b = TLanes.FusedMultiplyAdd(weight, LoadCached<TLanes>(first + j, column + 16), b);
                c = TLanes.FusedMultiplyAdd(weight, LoadCached<TLanes>(first + j, column + 32), c);
                d = TLanes.FusedMultiplyAdd(weight, LoadCached<TLanes>(first + j, column + 48), d);
            }

            TLanes.Store(a, o + column);
            TLanes.Store(b, o + column + 16);
            TLanes.Store(c, o + column + 32);
            TLanes.Store(d, o + column + 48);
        }

        for (; column + 16 <= Rank; column += 16)
        {
            var a = TLanes.Load(o + column);
            for (int j = 0; j < tokens; j++) a = TLanes.FusedMultiplyAdd(TLanes.Broadcast(s[j]), LoadCached<TLanes>(first + j, column), a);
            TLanes.Store(a, o + column);
        }

        for (; column < Rank; column++)
        {
            float a = o[column];
            for (int j = 0; j < tokens; j++) a = MathF.FusedMultiplyAdd(s[j], CachedAt(first + j, column), a);
            o[column] = a;
        }
    }
}
