using Hadal.Numerics.Formats;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>Arranges the queries of a row and a group of heads, once for all keys; for a cache below FP32 they are rounded to bfloat16.</summary>
/// <remarks>
/// For the assembled kernels registers of pairs: [pair][head][2], or with two chains [two pairs][head][pair][2]. For the portable form FP32 [column][sixteen lanes],
/// in the order of addition (the odd column of a pair first); with two chains lanes 0 … 7 have the even pairs of each head, lanes 8 … 15 the odd ones, and zeros in
/// the place of the others.
/// </remarks>
internal unsafe struct LatentQueriesKernel : IKernel
{
    public LatentShape Shape;
    public Matrix QLatent, QRope;
    public byte* Queries;
    public nint QueryBytes;
    public int FirstRow;
    public bool Assembled;

    /// <summary>Bytes of a row's group.</summary>
    public static nint Bytes(in LatentShape shape, bool assembled) => (nint)shape.Width * (assembled ? 2 : 4) * 16;

    public readonly void Reference(int item, int worker)
    {
        int row = FirstRow + item / Shape.Groups, firstHead = item % Shape.Groups * Shape.GroupHeads, heads = Math.Min(Shape.GroupHeads, Shape.Heads - firstHead);
        byte* destination = Queries + item * QueryBytes;
        new Span<byte>(destination, (int)QueryBytes).Clear();
        float* values = stackalloc float[Shape.Width];
        var codes = (ushort*)values;
        for (int h = 0; h < heads; h++)
        {
            int head = firstHead + h;
            float* latent = QLatent.Row(row) + head * Shape.Rank, rope = QRope.Row(row * Shape.Heads + head);
            if (Shape.Type == DType.F32)
            {
                LatentRows.Arrange(latent, rope, Shape, values);
                for (int c = 0; c < Shape.Width; c++) ((float*)destination)[c * 16 + h] = values[c];
                continue;
            }

            new Span<ushort>(codes, Shape.Width).Clear();
            ActivationCoding.Narrow(latent, Shape.Rank, codes, Shape.Rank);
            ActivationCoding.Narrow(rope, Shape.Rope, codes + Shape.RopeStart, Shape.Rope);
            if (Assembled) ScatterPairs((uint*)codes, (uint*)destination, h);
            else ScatterColumns(codes, (float*)destination, h);
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes> => Reference(item, worker);

    private readonly void ScatterPairs(uint* pairs, uint* destination, int head)
    {
        int count = Shape.Width / 2;
        if (Shape.Chains == 1)
        {
            for (int p = 0; p < count; p++) destination[p * 16 + head] = pairs[p];
            return;
        }

        for (int p = 0; p < count; p += 2) *(ulong*)(destination + p * 8 + head * 2) = *(ulong*)(pairs + p);
    }

    private readonly void ScatterColumns(ushort* codes, float* destination, int head)
    {
        for (int c = 0; c < Shape.Width; c++)
        {
            int lane = Shape.Chains == 1 ? head : head + c / 2 % 2 * 8;
            destination[(c ^ 1) * 16 + lane] = BFloat16.ToSingle(codes[c]);
        }
    }
}
