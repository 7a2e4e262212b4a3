using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    private double[] _blockSums = [];

    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, Tensor labels, float gradientWeight, Tensor loss, bool gradient)
    {
        int* targets = Integers(labels, logits.Rows);
        for (int t = 0; t < logits.Rows; t++)
        {
            if (targets[t] >= logits.Columns) throw new ArgumentException($"CrossEntropy: label {targets[t]} of row {t} is not below {logits.Columns}.");
        }

        Run(logits.Rows, new CrossEntropyKernel
        {
            Logits = Rows(logits),
            Labels = targets,
            Loss = Vector(loss, logits.Rows),
            GradientWeight = gradientWeight,
            Gradient = gradient,
        });
    }

    /// <inheritdoc/>
    public void ArgMax(Tensor x, Tensor indices)
    {
        Require(x.Columns > 0, nameof(ArgMax), x, "has to have columns");
        Run(x.Rows, new ArgMaxKernel { X = Rows(x), Indices = Integers(indices, x.Rows) });
    }

    /// <inheritdoc/>
    public double SumOfSquares(Tensor x)
    {
        int blocks = checked((int)((x.Count + SumOfSquaresKernel.Block - 1) / SumOfSquaresKernel.Block));
        if (_blockSums.Length < blocks) _blockSums = new double[blocks];
        fixed (double* sums = _blockSums)
        {
            Run(blocks, new SumOfSquaresKernel { X = Vector(x, x.Count), Count = x.Count, Sums = sums });
        }

        double total = 0;
        for (int i = 0; i < blocks; i++) total += _blockSums[i];
        return total;
    }

    /// <inheritdoc/>
    public void AdamW(Tensor parameters, Tensor gradients, Tensor firstMoments, Tensor secondMoments, AdamWStep rates)
    {
        long count = parameters.Count;
        int items = checked((int)((count + AdamWKernel.ItemElements - 1) / AdamWKernel.ItemElements));
        bool isShort = firstMoments.Type == DType.BF16 && secondMoments.Type == DType.BF16;
        Run(items, new AdamWKernel
        {
            P = Vector(parameters, count),
            G = Vector(gradients, count),
            M = isShort ? null : Vector(firstMoments, count),
            V = isShort ? null : Vector(secondMoments, count),
            ShortM = isShort ? ShortVector(firstMoments, count) : null,
            ShortV = isShort ? ShortVector(secondMoments, count) : null,
            Count = count,
            Step = rates,
        });
    }

    private static ushort* ShortVector(Tensor t, long count)
    {
        Require(t.IsContiguous && t.Count == count, nameof(AdamW), t, $"has to be contiguous with {count} elements");
        return (ushort*)Address(t);
    }
}
