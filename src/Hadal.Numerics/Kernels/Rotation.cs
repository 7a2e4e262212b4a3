using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>(x₂ᵢ, x₂ᵢ₊₁) ← (x₂ᵢ·cos - x₂ᵢ₊₁·sin, x₂ᵢ·sin + x₂ᵢ₊₁·cos): rotary embedding on interleaved pairs (report equations 3 and 8).</summary>
/// <remarks>The rotary part is narrow (64 columns in V3) and a small share of the work: one form serves every width.</remarks>
internal unsafe struct RotateKernel : IKernel
{
    public Matrix X, Cos, Sin;
    public int* Positions;
    public int Heads, RowsPerItem;
    public bool Inverse;

    public readonly void Reference(int item, int worker)
    {
        for (int row = item * RowsPerItem; row < Math.Min(X.Rows, (item + 1) * RowsPerItem); row++)
        {
            float* x = X.Row(row);
            int position = Positions[row / Heads];
            float* cos = Cos.Row(position);
            float* sin = Sin.Row(position);
            for (int i = 0; i < X.Columns / 2; i++)
            {
                float a = x[2 * i], b = x[2 * i + 1], c = cos[i], s = Inverse ? -sin[i] : sin[i];
                x[2 * i] = a * c - b * s;
                x[2 * i + 1] = a * s + b * c;
            }
        }
    }

    public readonly void Vector<TLanes>(int item, int worker) where TLanes : struct, ILanes<TLanes> => Reference(item, worker);
}
