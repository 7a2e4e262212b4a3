using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    // Keys and values of so many bytes are expanded at a time, if that is a head's or more.
    private const nint MostExpandedBytes = 48 << 20;

    /// <inheritdoc/>
    public void PromptAttention(Tensor q, Tensor latents, PackedWeights latentUp, Tensor ends, int heads, float scale, Tensor o)
    {
        ArgumentNullException.ThrowIfNull(latentUp);
        Require(heads >= 1, nameof(PromptAttention), q, $"cannot have {heads} heads");
        Require(latentUp.Format != WeightFormat.F32 && latentUp.Experts == 1, nameof(PromptAttention), latents, "has to come with one matrix of weights below FP32");
        int rank = latentUp.InFeatures, rope = latents.Columns - rank, value = o.Columns / heads, nope = latentUp.OutFeatures / heads - value;
        Require(rope >= 0, nameof(PromptAttention), latents, $"has fewer columns than the {rank} inputs of the weights");
        Require(
            value >= 1 && nope >= 0 && latentUp.OutFeatures == heads * (nope + value), nameof(PromptAttention), o,
            $"does not divide into {heads} heads with weights of {latentUp.OutFeatures} outputs");
        RequireShape(q, o.Rows, (long)heads * (nope + rope));
        RequireShape(o, q.Rows, (long)heads * value);
        if (q.Rows == 0) return;
        int* endOf = Integers(ends, q.Rows);
        for (int i = 0, last = 1; i < q.Rows; last = endOf[i++])
        {
            if (endOf[i] < last || endOf[i] > latents.Rows)
                throw new ArgumentException($"{nameof(PromptAttention)}: query {i} sees {endOf[i]} keys; ends must be 1 to {latents.Rows} and never go back.");
        }

        var rows = Rows(latents);
        var weights = Panels(latentUp, nameof(PromptAttention));
        bool assembled = _form == KernelForm.Assembled512 && PanelKernels.Has(_form, PanelFormat.BFloat16);
        var shape = new PromptShape(nope, rope, value, assembled);
        var coded = Code(new Matrix(rows.Pointer, rows.Rows, rank, rows.Stride), weights);
        lock (_latentGate) Attend(
            shape,
            new PromptExpansion
            {
                Shape = shape,
                Product = Matrix(weights, 0).Problem(coded, 0, rows.Rows, null, 0, accumulate: false),
                KRope = new Matrix(rows.Pointer + rank, rows.Rows, rope, rows.Stride),
                Form = _form,
                Blocks = Items(rows.Rows, PromptShape.BlockKeys),
            },
            new PromptAttentionKernel { Shape = shape, Q = Rows(q), O = Rows(o), Ends = endOf, Scale = scale, Form = _form },
            heads);
    }

    // As many heads at a time as their keys and values have room.
    private void Attend(in PromptShape shape, PromptExpansion expansion, PromptAttentionKernel attention, int heads)
    {
        nint headBytes = expansion.Blocks * shape.BlockBytes;
        int group = (int)Math.Clamp(MostExpandedBytes / headBytes, 1, heads);
        group = Items(heads, Items(heads, group));
        nint workerBytes = Math.Max(PromptExpansion.Bytes(shape), PromptWork.Bytes(shape)) + 63 & ~63;
        byte* memory = _latentRoom.Get(group * headBytes + _team.Threads * workerBytes);
        expansion.Panels = attention.Panels = memory;
        expansion.Workers = attention.Workers = memory + group * headBytes;
        expansion.WorkerBytes = attention.WorkerBytes = workerBytes;
        attention.Blocks = expansion.Blocks;
        int tiles = Items(attention.Q.Rows, shape.TileQueries), items = Math.Max(1, Items(_team.Threads * ItemsPerThread, group));
        attention.Queries = Math.Min(PromptShape.MostQueries / shape.TileQueries, Items(tiles, items)) * shape.TileQueries;
        attention.QueryBlocks = Items(attention.Q.Rows, attention.Queries);
        for (int head = 0; head < heads; head += group)
        {
            int count = Math.Min(group, heads - head);
            expansion.FirstHead = attention.FirstHead = head;
            _team.Run(count * expansion.Blocks, ref expansion);
            Run(count * attention.QueryBlocks, attention);
        }
    }
}
