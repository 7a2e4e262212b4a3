using Hadal.Numerics.Formats;

namespace Hadal.Numerics;

/// <summary>Computes nothing and holds nothing, but counts the memory that a computation would take: a model of any size can be planned on any machine.</summary>
/// <remarks>Results have no values; what is read back is zero. Counted is what <see cref="CreateStorage"/> gives, and the rooms in which a <see cref="CpuBackend"/> codes operands.</remarks>
public sealed class PlanningBackend : IBackend
{
    /// <inheritdoc/>
    public string Name => "planning";

    /// <summary>Bytes of all storage so far.</summary>
    public long StorageBytes { get; private set; }

    /// <summary>The most bytes that the coded operands of a product take.</summary>
    public long OperandBytes { get; private set; }

    /// <inheritdoc/>
    public Storage CreateStorage(long byteLength)
    {
        StorageBytes = checked(StorageBytes + byteLength);
        return new PlannedStorage(byteLength);
    }

    /// <inheritdoc/>
    public void Read(Tensor source, Span<float> values) => values.Clear();

    /// <inheritdoc/>
    public void Read(Tensor source, Span<int> values) => values.Clear();

    /// <inheritdoc/>
    public double SumOfSquares(Tensor x) => 0;

    /// <inheritdoc/>
    public void MatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, ProductCoding coding, bool accumulate = false) =>
        Count(coding, c.Rows, transposeA ? a.Rows : a.Columns, c.Columns, 1);

    /// <inheritdoc/>
    public void GroupedMatMul(Tensor x, Tensor offsets, Tensor w, bool transposeW, Tensor y, ProductCoding coding) =>
        Count(coding, x.Rows, x.Columns, y.Columns, checked((int)w.Shape[0]));

    /// <inheritdoc/>
    public void GroupedMatMulWeightBackward(Tensor dy, Tensor x, Tensor offsets, Tensor dw, ProductCoding coding)
    {
        // Rows of all experts are the inner dimension together.
        int experts = checked((int)dw.Shape[0]);
        Count(coding, dy.Columns, (x.Rows + experts - 1) / experts, x.Columns, experts, rowsAreShared: false);
    }

    /// <inheritdoc/>
    public PackedWeights Pack(Tensor w) => throw new NotSupportedException("Weights are packed for inference, which is not planned this way.");

    /// <inheritdoc/>
    public PackedWeights CreatePacked(WeightFormat format, int matrices, int outputs, int inputs, bool together = false) => Pack(default);

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<float> values, Tensor destination)
    {
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<int> values, Tensor destination)
    {
    }

    /// <inheritdoc/>
    public void Clear(Tensor x)
    {
    }

    /// <inheritdoc/>
    public void Copy(Tensor x, Tensor y)
    {
    }

    /// <inheritdoc/>
    public void Encode(Tensor x, OperandCoding coding, Tensor codes, Tensor scales)
    {
    }

    /// <inheritdoc/>
    public void Decode(Tensor codes, Tensor scales, OperandCoding coding, Tensor x)
    {
    }

    /// <inheritdoc/>
    public void Add(Tensor x, Tensor y)
    {
    }

    /// <inheritdoc/>
    public void Transpose(Tensor x, Tensor y)
    {
    }

    /// <inheritdoc/>
    public void MatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, bool accumulate = false)
    {
    }

    /// <inheritdoc/>
    public void MatMulBatch(ReadOnlySpan<MatMulOperands> products)
    {
    }

    /// <inheritdoc/>
    public void GroupedMatMul(Tensor x, Tensor offsets, Tensor w, bool transposeW, Tensor y)
    {
    }

    /// <inheritdoc/>
    public void GroupedMatMulWeightBackward(Tensor dy, Tensor x, Tensor offsets, Tensor dw)
    {
    }

    /// <inheritdoc/>
    public void Fill(PackedWeights w, int matrix, ReadOnlySpan<WeightPart> parts, bool alone = false)
    {
    }

    /// <inheritdoc/>
    public void Release(PackedWeights w, int matrix)
    {
    }

    /// <inheritdoc/>
    public void Move(PackedWeights source, int present, PackedWeights destination, int absent)
    {
    }

    /// <inheritdoc/>
    public void Lock(PackedWeights w, int matrix)
    {
    }

    /// <inheritdoc/>
    public void MatMul(Tensor x, PackedWeights w, Tensor y, bool accumulate = false, int firstOutput = 0)
    {
    }

    /// <inheritdoc/>
    public void GroupedMatMul(Tensor x, Tensor offsets, PackedWeights w, Tensor y)
    {
    }

    /// <inheritdoc/>
    public void ExpertMlp(Tensor x, Tensor slots, int choices, Tensor offsets, PackedWeights gateUp, PackedWeights down, Tensor gates, Tensor y)
    {
    }

    /// <inheritdoc/>
    public void Embed(Tensor table, Tensor ids, Tensor y, BlockFormat? blocks = null)
    {
    }

    /// <inheritdoc/>
    public void EmbedWeightBackward(Tensor dy, Tensor ids, Tensor dTable)
    {
    }

    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, float epsilon, Tensor y, Tensor inverseRms = default)
    {
    }

    /// <inheritdoc/>
    public void RmsNormBackward(Tensor x, Tensor w, Tensor inverseRms, Tensor dy, Tensor dx, bool accumulate)
    {
    }

    /// <inheritdoc/>
    public void RmsNormWeightBackward(Tensor x, Tensor inverseRms, Tensor dy, Tensor dw)
    {
    }

    /// <inheritdoc/>
    public void Rotate(Tensor x, int heads, Tensor positions, Tensor cos, Tensor sin, bool inverse = false)
    {
    }

    /// <inheritdoc/>
    public void SwiGlu(Tensor gateUp, Tensor rowScale, Tensor y)
    {
    }

    /// <inheritdoc/>
    public void SwiGluBackward(Tensor gateUp, Tensor rowScale, Tensor dy, Tensor dGateUp, Tensor dRowScale)
    {
    }

    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor kv, Tensor kRope, Tensor starts, Tensor ends, int heads, float scale, Tensor o, Tensor logSumExp = default, bool bfloat16 = false)
    {
    }

    /// <inheritdoc/>
    public void AttentionBackward(
        Tensor q, Tensor kv, Tensor kRope, Tensor starts, Tensor ends, int heads, float scale, Tensor o, Tensor logSumExp, Tensor dOut, Tensor dq, Tensor dkv, Tensor dkRope, Tensor scratch,
        bool bfloat16 = false)
    {
    }

    /// <inheritdoc/>
    public void PromptAttention(Tensor q, Tensor latents, PackedWeights latentUp, Tensor ends, int heads, float scale, Tensor o)
    {
    }

    /// <inheritdoc/>
    public void LatentAttention(Tensor qLatent, Tensor qRope, Tensor cache, int pageTokens, Tensor pageTables, Tensor sequences, Tensor lengths, int heads, float scale, Tensor o)
    {
    }

    /// <inheritdoc/>
    public void WriteLatents(Tensor latents, int rank, Tensor cache)
    {
    }

    /// <inheritdoc/>
    public void ReadLatents(Tensor cache, int rank, Tensor latents)
    {
    }

    /// <inheritdoc/>
    public void Route(Tensor logits, Tensor bias, RoutingRule rule, Tensor scores, Tensor experts, Tensor weights)
    {
    }

    /// <inheritdoc/>
    public void RouteBackward(Tensor scores, Tensor experts, Tensor dWeights, Tensor dScores, RoutingRule rule, Tensor dLogits)
    {
    }

    /// <inheritdoc/>
    public void BalanceLoss(Tensor scores, int sequenceLength, int topK, float gradientScale, Tensor loss, Tensor dScores)
    {
    }

    /// <inheritdoc/>
    public void CountBest(Tensor scores, int topK, Tensor counts)
    {
    }

    /// <inheritdoc/>
    public void BatchBalanceLoss(Tensor scores, int sequenceLength, Tensor counts, float gradientScale, Tensor loss, Tensor dScores)
    {
    }

    /// <inheritdoc/>
    public void SortByExpert(Tensor experts, Tensor offsets, Tensor slots, Tensor rows)
    {
    }

    /// <inheritdoc/>
    public void GatherRows(Tensor x, Tensor indices, int divisor, Tensor y)
    {
    }

    /// <inheritdoc/>
    public void CombineRows(Tensor x, Tensor rows, Tensor y, bool accumulate)
    {
    }

    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, Tensor labels, float gradientWeight, Tensor loss, bool gradient)
    {
    }

    /// <inheritdoc/>
    public void ArgMax(Tensor x, Tensor indices)
    {
    }

    /// <inheritdoc/>
    public void AdamW(Tensor parameters, Tensor gradients, Tensor firstMoments, Tensor secondMoments, AdamWStep rates)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    // Experts share the rows evenly; those whose operands do not fit into the room at once follow one another.
    private void Count(in ProductCoding coding, long rows, int depth, long outputs, int matrices, bool rowsAreShared = true)
    {
        long perMatrix = CpuBackend.OperandBytes(coding, rowsAreShared ? (rows + matrices - 1) / matrices : rows, depth, outputs);
        long atOnce = Math.Max(1, Math.Min(matrices, CpuBackend.CodedBytesAtOnce / Math.Max(1, perMatrix)));
        OperandBytes = Math.Max(OperandBytes, atOnce * perMatrix);
    }
}
