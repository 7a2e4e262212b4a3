using Hadal.Numerics.Formats;
using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Add(Tensor x, Tensor y)
    {
        RequireShape(y, x.Rows, x.Columns);
        int perItem = RowsPerItem(x.Rows, x.Columns);
        Run(Items(x.Rows, perItem), new AddKernel { X = Rows(x), Y = Rows(y), RowsPerItem = perItem });
    }

    /// <inheritdoc/>
    public void Embed(Tensor table, Tensor ids, Tensor y, BlockFormat? blocks = null)
    {
        if (blocks is { } format)
        {
            int bytes = format.BlockBytes();
            Require(table.Type == DType.U8 && table.Columns % bytes == 0, nameof(Embed), table, $"has to be U8 with rows of whole blocks of {bytes} bytes");
            RequireShape(y, ids.Count, table.Columns / bytes * format.BlockElements());
        }
        else
        {
            Require(table.Type is DType.F32 or DType.BF16 or DType.F16, nameof(Embed), table, "has to be F32, BF16 or F16");
            RequireShape(y, ids.Count, table.Columns);
        }

        int* indices = Integers(ids, y.Rows);
        CheckIndices(indices, y.Rows, table.Rows, nameof(Embed));
        int perItem = RowsPerItem(y.Rows, y.Columns);
        Run(Items(y.Rows, perItem), new EmbedKernel
        {
            Table = Address(table),
            TableStride = (nint)table.RowStride,
            Type = table.Type,
            Blocks = blocks,
            Ids = indices,
            Y = Rows(y),
            RowsPerItem = perItem,
        });
    }

    /// <inheritdoc/>
    public void EmbedWeightBackward(Tensor dy, Tensor ids, Tensor dTable)
    {
        RequireShape(dTable, dTable.Rows, dy.Columns);
        int* indices = Integers(ids, dy.Rows);
        CheckIndices(indices, dy.Rows, dTable.Rows, nameof(EmbedWeightBackward));
        int items = Items(dy.Columns, EmbedWeightBackwardKernel.ColumnsPerItem);
        Run(items, new EmbedWeightBackwardKernel { DY = Rows(dy), DTable = Rows(dTable), Ids = indices });
    }

    /// <inheritdoc/>
    public void Rotate(Tensor x, int heads, Tensor positions, Tensor cos, Tensor sin, bool inverse = false)
    {
        Require(heads > 0 && x.Columns % 2 == 0 && x.Rows % heads == 0, nameof(Rotate), x, $"has to have an even width and whole groups of {heads} rows");
        RequireShape(cos, cos.Rows, x.Columns / 2);
        RequireShape(sin, cos.Rows, x.Columns / 2);
        int tokens = x.Rows / heads;
        int* indices = Integers(positions, tokens);
        CheckIndices(indices, tokens, cos.Rows, nameof(Rotate));
        int perItem = RowsPerItem(x.Rows, x.Columns);
        Run(Items(x.Rows, perItem), new RotateKernel
        {
            X = Rows(x),
            Cos = Rows(cos),
            Sin = Rows(sin),
            Positions = indices,
            Heads = heads,
            RowsPerItem = perItem,
            Inverse = inverse,
        });
    }

    /// <inheritdoc/>
    public void SortByExpert(Tensor experts, Tensor offsets, Tensor slots, Tensor rows)
    {
        int count = checked((int)experts.Count), expertCount = checked((int)offsets.Count) - 1;
        int* chosen = Integers(experts, count);
        CheckIndices(chosen, count, expertCount, nameof(SortByExpert));
        ExpertSort.Run(chosen, count, Integers(offsets, expertCount + 1), expertCount, Integers(slots, count), Integers(rows, count));
    }

    /// <inheritdoc/>
    public void GatherRows(Tensor x, Tensor indices, int divisor, Tensor y)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(divisor, 1);
        RequireShape(y, indices.Count, x.Columns);
        int* sources = Integers(indices, y.Rows);
        CheckIndices(sources, y.Rows, x.Rows * divisor, nameof(GatherRows));
        int perItem = RowsPerItem(y.Rows, y.Columns);
        Run(Items(y.Rows, perItem), new GatherRowsKernel { X = Rows(x), Y = Rows(y), Indices = sources, Divisor = divisor, RowsPerItem = perItem });
    }

    /// <inheritdoc/>
    public void CombineRows(Tensor x, Tensor rows, Tensor y, bool accumulate)
    {
        RequireShape(x, x.Rows, y.Columns);
        int count = checked((int)rows.Count);
        Require(y.Rows > 0 ? count % y.Rows == 0 : count == 0, nameof(CombineRows), rows, $"has to hold as many rows for each of the {y.Rows} tokens");
        int* sources = Integers(rows, count);
        CheckIndices(sources, count, x.Rows, nameof(CombineRows));
        int perItem = RowsPerItem(y.Rows, y.Columns);
        Run(Items(y.Rows, perItem), new CombineRowsKernel
        {
            X = Rows(x),
            Y = Rows(y),
            RowOf = sources,
            Choices = y.Rows == 0 ? 0 : count / y.Rows,
            RowsPerItem = perItem,
            Accumulate = accumulate,
        });
    }

    // An index from outside is checked once per call: a wrong one would read or write foreign memory.
    private static void CheckIndices(int* indices, int count, int limit, string operation)
    {
        for (int i = 0; i < count; i++)
        {
            if ((uint)indices[i] >= (uint)limit) throw new ArgumentException($"{operation}: index {indices[i]} at place {i} is not in 0..{limit - 1}.");
        }
    }
}
