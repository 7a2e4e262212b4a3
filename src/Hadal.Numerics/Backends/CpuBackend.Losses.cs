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
        Run(items, new AdamWKernel
        {
            P = Vector(parameters, count),
            G = Vector(gradients, count),
            M = Vector(firstMoments, count),
            V = Vector(secondMoments, count),
            Count = count,
            Step = rates,
        });
    }
}
