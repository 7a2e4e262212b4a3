using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Precision;

namespace Hadal.Training.Layers;

/// <summary>What the layers of one forward-and-backward share: the backend, the memory of the micro-batch, and who may see whom.</summary>
/// <remarks>
/// Legend: B sequences, L tokens each, T = B·L rows. Memory is of two kinds: what the backward needs is kept until the micro-batch ends; everything else is temporary and
/// gone when the layer's forward or backward ends.
/// </remarks>
internal sealed class MicroBatchContext
{
    /// <summary>Where everything is computed.</summary>
    public required IBackend Backend { get; init; }

    /// <summary>Memory of what is kept.</summary>
    public required Arena Arena { get; init; }

    /// <summary>Memory of what is temporary.</summary>
    public required Arena Scratch { get; set; }

    /// <summary>How precise products are.</summary>
    public required PrecisionPolicy Precision { get; init; }

    /// <summary>[P, rope / 2].</summary>
    public required Tensor Cos { get; init; }

    /// <summary>[P, rope / 2].</summary>
    public required Tensor Sin { get; init; }

    /// <summary>I32 [T]: position of each row in its sequence.</summary>
    public Tensor Positions { get; set; }

    /// <summary>I32 [T]: first row that each row attends to.</summary>
    public Tensor Starts { get; set; }

    /// <summary>I32 [T]: one past the last row that each row attends to.</summary>
    public Tensor Ends { get; set; }

    /// <summary>L.</summary>
    public int SequenceLength { get; set; }

    /// <summary>α over the number of sequences in the global batch: factor on the balance loss of each sequence. 0 leaves the loss out of the gradient.</summary>
    public float BalanceScale { get; set; }

    /// <summary>Whether routed tokens count for the load of their experts: yes in training, no in evaluation.</summary>
    public bool CountsLoad { get; set; }

    /// <summary>Whether there will be a backward that needs activations: not in an evaluation, nor in the first forward of a layer that is computed again.</summary>
    public bool KeepsActivations { get; set; }

    /// <summary>Whether a layer is being computed again: what it counts has been counted.</summary>
    public bool IsRecomputing { get; set; }

    /// <summary>What the layer in hand computes again.</summary>
    public RecomputedParts Recomputed { get; set; }

    /// <summary>
    /// Whether weight gradients come later than the gradients for the inputs, as a schedule without bubbles wants it: what they need is then kept instead of temporary
    /// (report section 3.2.1, after Zero Bubble).
    /// </summary>
    public bool DefersWeights { get; set; }

    private Arena ArenaOfKept => KeepsActivations ? Arena : Scratch;

    /// <summary>Whether the layer in hand computes a part again instead of keeping it.</summary>
    public bool Recomputes(RecomputedParts part) => (Recomputed & part) != 0;

    /// <summary>Temporary [rows, columns] with undefined contents.</summary>
    public Tensor Matrix(long rows, long columns) => Scratch.Matrix(rows, columns);

    /// <summary>Temporary [count] with undefined contents.</summary>
    public Tensor Vector(long count) => Scratch.Allocate(DType.F32, new Shape(count));

    /// <summary>Temporary I32 [count] with undefined contents.</summary>
    public Tensor Integers(long count) => Scratch.Allocate(DType.I32, new Shape(count));

    /// <summary>[rows, columns] with undefined contents for a gradient that weight gradients are made from: temporary, or kept where they come later.</summary>
    public Tensor GradientMatrix(long rows, long columns) => (DefersWeights ? Arena : Scratch).Matrix(rows, columns);

    /// <summary>[rows, columns] for the backward.</summary>
    public Tensor KeptMatrix(long rows, long columns) => ArenaOfKept.Matrix(rows, columns);

    /// <summary>[count] for the backward.</summary>
    public Tensor KeptVector(long count) => ArenaOfKept.Allocate(DType.F32, new Shape(count));

    /// <summary>I32 [count] for the backward.</summary>
    public Tensor KeptIntegers(long count) => ArenaOfKept.Allocate(DType.I32, new Shape(count));

    /// <summary>[rows, columns] for something that will be kept in a form: kept memory if that is FP32, temporary if it will be coded or computed again.</summary>
    public Tensor MatrixFor(OperandCoding? form, long rows, long columns, bool isKept = true) => form is null && isKept ? KeptMatrix(rows, columns) : Matrix(rows, columns);

    /// <summary>A copy for the backward.</summary>
    public Tensor KeptCopy(Tensor x) => CopyTo(x, KeptMatrix(x.Rows, x.Columns));

    /// <summary>A temporary copy.</summary>
    public Tensor Copy(Tensor x) => CopyTo(x, Matrix(x.Rows, x.Columns));

    /// <summary>A copy of a gradient that weight gradients are made from.</summary>
    public Tensor GradientCopy(Tensor x) => CopyTo(x, GradientMatrix(x.Rows, x.Columns));

    private Tensor CopyTo(Tensor x, Tensor copy)
    {
        Backend.Copy(x, copy);
        return copy;
    }
}
