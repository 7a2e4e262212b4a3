using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Rows of FP32 to cache rows, or back.</summary>
internal unsafe struct LatentRowsKernel : IKernel
{
    public Matrix Values;
    public LatentRows Cache;
    public int RowsPerItem;
    public bool Store;

    public readonly void Reference(int item, int worker)
    {
        for (int r = item * RowsPerItem; r < Math.Min(Values.Rows, (item + 1) * RowsPerItem); r++)
        {
            if (Store) Cache.Write(Values.Row(r), r);
            else Cache.Read(r, Values.Row(r));
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes> => Reference(item, worker);
}
