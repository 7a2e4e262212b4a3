namespace Hadal.Numerics;

public sealed partial class CpuBackend
{
    /// <inheritdoc/>
    public PackedWeights Pack(Tensor w)
    {
        var storage = CreateStorage(w.Count * w.Type.SizeOf());
        var copy = storage.View(0, w.Type, w.Shape);
        Copy(w, copy);
        return new CopiedWeights(storage, copy);
    }

    /// <inheritdoc/>
    public void MatMul(Tensor x, PackedWeights w, Tensor y, bool accumulate = false) => MatMul(x, false, ((CopiedWeights)w).Weights, true, y, accumulate);

    /// <inheritdoc/>
    public void GroupedMatMul(Tensor x, Tensor offsets, PackedWeights w, Tensor y) => GroupedMatMul(x, offsets, ((CopiedWeights)w).Weights, true, y);

    private sealed class CopiedWeights(Storage storage, Tensor weights) : PackedWeights
    {
        public Tensor Weights => weights;

        public override int Experts => weights.Shape.Rank == 3 ? (int)weights.Shape[0] : 1;

        public override int OutFeatures => (int)weights.Shape[weights.Shape.Rank - 2];

        public override int InFeatures => weights.Columns;

        public override long ByteLength => storage.ByteLength;

        protected override void Dispose(bool disposing) => storage.Dispose();
    }
}
