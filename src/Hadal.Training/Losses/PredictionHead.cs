using Hadal.Numerics;
using Hadal.Training.Layers;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;

namespace Hadal.Training.Losses;

/// <summary>Output head and cross-entropy in one, shared by the main model and the MTP modules.</summary>
/// <remarks>
/// Logits exist for some hundred tokens at a time. The gradient of a chunk's logits is known as soon as its loss is, so input and weight gradient are
/// made on the spot: keeping them apart would mean computing the logits, the largest product of a small model, a second time.
/// </remarks>
internal sealed class PredictionHead(ParameterSet parameters, int vocabulary, int width)
{
    private const int MostRows = 2048, MostLogits = 1 << 24;

    // Tokens whose logits exist at the same time: many, so that the matrix is rounded seldom, but not more than 64 MB of logits.
    private readonly int _chunkRows = Math.Clamp(MostLogits / vocabulary, 64, MostRows);

    private readonly int _region = parameters.Declare("lm_head.weight", new Shape(vocabulary, width));

    /// <summary>Losses of every row and, with a gradient, the gradient for the hidden rows (replaced) and the head (added to).</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="hidden">[T, D], after the final norm.</param>
    /// <param name="labels">I32 [T]; negative drops a row.</param>
    /// <param name="weight">Factor on the gradient of each row's loss.</param>
    /// <param name="losses">[T], in nats, unweighted.</param>
    /// <param name="dHidden">[T, D], or no tensor for the loss alone.</param>
    /// <param name="choices">I32 [T]: receives the likeliest token of every row; no tensor if nobody asks.</param>
    public void Run(MicroBatchContext c, Tensor hidden, Tensor labels, float weight, Tensor losses, Tensor dHidden, Tensor choices = default)
    {
        var head = parameters.Get(_region);
        var mark = c.Scratch.Save();
        bool gradient = !dHidden.IsEmpty;
        var precision = c.Precision.Of(LinearRole.Outer);
        var logits = c.Matrix(Math.Min(_chunkRows, hidden.Rows), vocabulary);
        for (int first = 0; first < hidden.Rows; first += _chunkRows)
        {
            int rows = Math.Min(_chunkRows, hidden.Rows - first);
            var x = hidden.RowRange(first, rows);
            var chunk = logits.RowRange(0, rows);
            precision.Forward(c.Backend, x, head.Weight, chunk);
            if (!choices.IsEmpty) c.Backend.ArgMax(chunk, choices.ElementRange(first, rows));
            c.Backend.CrossEntropy(chunk, labels.ElementRange(first, rows), weight, losses.ElementRange(first, rows), gradient);
            if (!gradient) continue;
            precision.InputGradient(c.Backend, chunk, head.Weight, dHidden.RowRange(first, rows), accumulate: false);
            precision.WeightGradient(c.Backend, chunk, x, head.Gradient);
        }

        c.Scratch.Release(mark);
    }
}
