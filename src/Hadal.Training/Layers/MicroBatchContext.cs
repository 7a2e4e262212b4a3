using Hadal.Numerics;
using Hadal.Training.Precision;

namespace Hadal.Training.Layers;

/// <summary>What the layers of one forward-and-backward share: the backend, the arena of the micro-batch, and who may see whom.</summary>
/// <remarks>Legend: B sequences, L tokens each, T = B·L rows.</remarks>
internal sealed class MicroBatchContext
{
    /// <summary>Where everything is computed.</summary>
    public required IBackend Backend { get; init; }

    /// <summary>Memory of this micro-batch's activations.</summary>
    public required Arena Arena { get; init; }

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

    /// <summary>[rows, columns] with undefined contents.</summary>
    public Tensor Matrix(long rows, long columns) => Arena.Matrix(rows, columns);

    /// <summary>[count] with undefined contents.</summary>
    public Tensor Vector(long count) => Arena.Allocate(DType.F32, new Shape(count));

    /// <summary>I32 [count] with undefined contents.</summary>
    public Tensor Integers(long count) => Arena.Allocate(DType.I32, new Shape(count));
}
