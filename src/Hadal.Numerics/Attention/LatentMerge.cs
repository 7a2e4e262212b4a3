using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Puts the chunks of a row together for one head, in ascending order.</summary>
internal unsafe struct LatentMergeKernel : IKernel
{
    public LatentShape Shape;
    public Matrix O;
    public int FirstRow;
    public int Rows;

    /// <summary>Heads, of all rows one after the other, that an item puts together.</summary>
    public int HeadsPerItem;

    /// <summary>Where a row's chunks start, one more than rows.</summary>
    public int* ChunkStarts;

    public float* Partials;
    public nint PartialFloats;

    public readonly void Reference(int item, int worker) => throw new NotSupportedException();

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes>
    {
        int end = Math.Min((item + 1) * HeadsPerItem, Rows * Shape.Heads);
        for (int head = item * HeadsPerItem; head < end; head++) MergeHead<TLanes>(head / Shape.Heads, head % Shape.Heads);
    }

    private readonly void MergeHead<TLanes>(int index, int head) where TLanes : struct, ILanes<TLanes>
    {
        int group = head / Shape.GroupHeads, inGroup = head % Shape.GroupHeads;
        int chunks = ChunkStarts[index + 1] - ChunkStarts[index], lane = inGroup * Shape.Chains;
        nint step = PartialFloats * Shape.Groups;
        float* first = Partials + (ChunkStarts[index] * Shape.Groups + group) * PartialFloats;
        float* o = O.Row(FirstRow + index) + (nint)head * Shape.Rank;
        float* factors = stackalloc float[chunks];
        float* factor = stackalloc float[16];
        var peak = TLanes.Load(first);
        for (int c = 1; c < chunks; c++) peak = TLanes.Max(peak, TLanes.Load(first + c * step));
        float total = 0;
        for (int c = 0; c < chunks; c++)
        {
            TLanes.Store(TLanes.Exp(TLanes.Load(first + c * step) - peak), factor);
            factors[c] = factor[lane];
            total = MathF.FusedMultiplyAdd(first[c * step + 16 + lane], factors[c], total);
        }

        var inverse = TLanes.Broadcast(1 / total);
        float* sums = first + LatentAttentionKernel.PartialHeader + (nint)inGroup * Shape.OutputColumns;
        int column = 0;
        for (; column < Shape.Rank; column += 16)
        {
            var value = TLanes.Load(sums + column) * TLanes.Broadcast(factors[0]);
            for (int c = 1; c < chunks; c++) value = TLanes.FusedMultiplyAdd(TLanes.Load(sums + c * step + column), TLanes.Broadcast(factors[c]), value);
            value *= inverse;
            if (column + 16 <= Shape.Rank) TLanes.Store(value, o + column);
            else LaneExtensions.StorePart(value, o + column, Shape.Rank - column);
        }
    }
}
