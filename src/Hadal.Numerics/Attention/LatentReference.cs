using System.Runtime.InteropServices;
using Hadal.Numerics.Formats;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>Absorbed attention as the formula says it, in FP64, a row's head per item; queries and cache have their own precision.</summary>
internal unsafe struct LatentReference : ITeamJob
{
    public LatentShape Shape;
    public Matrix QLatent, QRope, O;
    public LatentRows Cache;
    public int PageTokens, TableStride;
    public int* PageTables, Sequences, Lengths;
    public float Scale;

    public readonly void Execute(int item, int worker)
    {
        int row = item / Shape.Heads, head = item % Shape.Heads, length = Lengths[row];
        float* q = QLatent.Row(row) + head * Shape.Rank;
        float* qr = QRope.Row(row * Shape.Heads + head);
        float* o = O.Row(row) + head * Shape.Rank;
        var weights = (double*)NativeMemory.Alloc((nuint)length, sizeof(double));
        double max = double.NegativeInfinity, sum = 0;
        for (int j = 0; j < length; j++) max = Math.Max(max, weights[j] = Score(q, qr, row, j));
        for (int j = 0; j < length; j++) sum += weights[j] = Math.Exp(weights[j] - max);
        for (int c = 0; c < Shape.Rank; c++)
        {
            double value = 0;
            for (int j = 0; j < length; j++) value += weights[j] / sum * Cache.At(Slot(row, j), c);
            o[c] = (float)value;
        }

        NativeMemory.Free(weights);
    }

    private readonly nint Slot(int row, int token) => (nint)PageTables[(nint)Sequences[row] * TableStride + token / PageTokens] * PageTokens + token % PageTokens;

    private readonly double Score(float* q, float* qr, int row, int token)
    {
        double score = 0;
        for (int c = 0; c < Shape.Rank; c++) score += (double)Rounded(q[c]) * Cache.At(Slot(row, token), c);
        for (int c = 0; c < Shape.Rope; c++) score += (double)Rounded(qr[c]) * Cache.At(Slot(row, token), Shape.Rank + c);
        return score * Scale;
    }

    private readonly float Rounded(float value) => Shape.Type == DType.F32 ? value : BFloat16.ToSingle(PanelCodes.Narrow(value));
}
