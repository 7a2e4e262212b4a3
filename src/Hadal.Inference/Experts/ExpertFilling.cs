using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Experts;

/// <summary>Arranges experts in the form in which they are multiplied. Used by one thread.</summary>
/// <param name="checkpoint">The checkpoint.</param>
/// <param name="backend">Where weights go.</param>
internal sealed class ExpertFilling(Checkpoint checkpoint, IBackend backend) : IDisposable
{
    private readonly StoredWeights _stored = new(checkpoint, backend);

    /// <summary>Fills the matrices of an expert from a stage, with all threads of the backend.</summary>
    public void Fill(ExpertStage stage, int layer, int expert, PackedWeights gateUp, PackedWeights down)
    {
        Fill(stage, gateUp, expert, Upper(layer, expert));
        Fill(stage, down, expert, Lower(layer, expert));
    }

    /// <summary>Fills the matrices of an expert from the mapped files, on the calling thread.</summary>
    /// <returns>Bytes of the expert in its files.</returns>
    public long FillMapped(int layer, int expert, PackedWeights gateUp, PackedWeights down)
    {
        TensorSpec[] upper = Upper(layer, expert), lower = Lower(layer, expert);
        _stored.FillMatrix(gateUp, expert, upper, alone: true);
        _stored.FillMatrix(down, expert, lower, alone: true);
        return upper.Concat(lower).Sum(s => checkpoint.Get(s.Name).ByteLength);
    }

    /// <inheritdoc/>
    public void Dispose() => _stored.Dispose();

    private TensorSpec[] Upper(int layer, int expert) => [checkpoint.Catalog.Get(TensorRole.ExpertGate, layer, expert), checkpoint.Catalog.Get(TensorRole.ExpertUp, layer, expert)];

    private TensorSpec[] Lower(int layer, int expert) => [checkpoint.Catalog.Get(TensorRole.ExpertDown, layer, expert)];

    private void Fill(ExpertStage stage, PackedWeights packed, int expert, TensorSpec[] specs)
    {
        if (packed.Format != WeightFormat.F32)
        {
            backend.Fill(packed, expert, [.. specs.Select(stage.Part)]);
            return;
        }

        // FP32 weights are filled from one matrix.
        var whole = _stored.Room(DType.F32, new Shape(packed.OutFeatures, packed.InFeatures));
        long row = 0;
        foreach (var spec in specs)
        {
            backend.Copy(stage.Part(spec).Codes, whole.RowRange(row, spec.Shape.Rows));
            row += spec.Shape.Rows;
        }

        backend.Fill(packed, expert, [new WeightPart(whole)]);
        _stored.Reset();
    }
}
