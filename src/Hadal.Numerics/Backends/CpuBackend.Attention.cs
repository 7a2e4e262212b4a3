using System.Runtime.CompilerServices;
using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    private readonly NativeRoom _attentionRoom = new();
    private int[] _segments = [];
    private AttentionQueries[] _queryBlocks = [];

    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor kv, Tensor kRope, Tensor starts, Tensor ends, int heads, float scale, Tensor o, Tensor logSumExp = default, bool bfloat16 = false)
    {
        var operands = Operands(q, kv, kRope, starts, ends, heads, scale, o);
        if (bfloat16)
        {
            AttendCoded(operands, Rows(o), Vector(logSumExp, (long)heads * q.Rows));
            return;
        }

        int blocks = FindQueryBlocks(operands, q.Rows);
        fixed (AttentionQueries* first = _queryBlocks)
        {
            Run(heads * blocks, new AttentionKernel
            {
                Op = operands,
                O = Rows(o),
                LogSumExp = Vector(logSumExp, (long)heads * q.Rows),
                Blocks = first,
                BlockCount = blocks,
                Form = _form,
            });
        }
    }

    /// <inheritdoc/>
    public void AttentionBackward(
        Tensor q, Tensor kv, Tensor kRope, Tensor starts, Tensor ends, int heads, float scale, Tensor o, Tensor logSumExp, Tensor dOut, Tensor dq, Tensor dkv,
        Tensor dkRope, Tensor scratch, bool bfloat16 = false)
    {
        var operands = Operands(q, kv, kRope, starts, ends, heads, scale, o);
        RequireShape(dOut, o.Rows, o.Columns);
        RequireShape(dq, q.Rows, q.Columns);
        RequireShape(dkv, kv.Rows, kv.Columns);
        RequireShape(dkRope, kRope.Rows, kRope.Columns);
        int segments = FindSegments(operands.Starts, operands.Ends, q.Rows);
        Clear(dkv);
        Clear(scratch);
        var exact = new AttentionBackwardKernel
        {
            Op = operands,
            O = Rows(o),
            DO = Rows(dOut),
            DQ = Rows(dq),
            DKV = Rows(dkv),
            LogSumExp = Vector(logSumExp, (long)heads * q.Rows),
            RopeScratch = Vector(scratch, (long)heads * kRope.Count),
            SegmentCount = segments,
            Form = _form,
        };
        fixed (int* bounds = _segments)
        {
            exact.Segments = bounds;
            if (bfloat16) RunCoded(exact, bounds, segments);
            else Run(heads * segments, exact);
        }

        Clear(dkRope);
        var perHead = scratch.Reshape(new Shape(heads * kRope.Shape.Rows, kRope.Shape.Columns));
        for (int h = 0; h < heads; h++) Add(perHead.RowRange((long)h * kRope.Rows, kRope.Rows), dkRope);
    }

    private void AttendCoded(AttentionOperands operands, Matrix o, float* logSumExp)
    {
        int segments = FindSegments(operands.Starts, operands.Ends, operands.Q.Rows);
        fixed (int* bounds = _segments)
        {
            int keys = 0;
            for (int s = 0; s < segments; s++) keys = Math.Max(keys, operands.Ends[bounds[s + 1] - 1] - operands.Starts[bounds[s]]);
            var common = Coded(operands, bounds, segments);
            common.RoomBytes = CodedAttentionKernel.Bytes(common, keys);
            common.Room = _attentionRoom.Get(_team.Threads * common.RoomBytes);
            Run(operands.Heads * segments, new CodedAttentionKernel { Common = common, O = o, LogSumExp = logSumExp });
        }
    }

    private void RunCoded(in AttentionBackwardKernel exact, int* bounds, int segments)
    {
        int queries = 0;
        for (int s = 0; s < segments; s++) queries = Math.Max(queries, bounds[s + 1] - bounds[s]);
        var common = Coded(exact.Op, bounds, segments);
        common.RoomBytes = CodedAttentionBackwardKernel.Bytes(common, queries);
        common.Room = _attentionRoom.Get(_team.Threads * common.RoomBytes);
        Run(exact.Op.Heads * segments, new CodedAttentionBackwardKernel
        {
            Common = common,
            O = exact.O,
            DO = exact.DO,
            DQ = exact.DQ,
            DKV = exact.DKV,
            LogSumExp = exact.LogSumExp,
            RopeScratch = exact.RopeScratch,
        });
    }

    private CodedAttention Coded(AttentionOperands operands, int* bounds, int segments)
    {
        operands.Rounded = true;
        return new CodedAttention { Op = operands, Form = _form, Segments = bounds, SegmentCount = segments };
    }

    private static AttentionOperands Operands(
        Tensor q, Tensor kv, Tensor kRope, Tensor starts, Tensor ends, int heads, float scale, Tensor o, [CallerMemberName] string operation = "")
    {
        int rope = kRope.Columns, nope = q.Columns / heads - rope, value = o.Columns / heads;
        Require(nope >= 0 && q.Columns == heads * (nope + rope), operation, q, $"does not divide into {heads} heads with {rope} rope columns");
        RequireShape(o, q.Rows, (long)heads * value, operation);
        RequireShape(kv, kRope.Rows, (long)heads * (nope + value), operation);
        var operands = new AttentionOperands
        {
            Q = Rows(q, operation),
            KV = Rows(kv, operation),
            KRope = Rows(kRope, operation),
            Starts = Integers(starts, q.Rows, operation),
            Ends = Integers(ends, q.Rows, operation),
            Heads = heads,
            Nope = nope,
            Rope = rope,
            Value = value,
            Scale = scale,
        };
        int lastStart = 0, lastEnd = 0;
        for (int i = 0; i < q.Rows; i++)
        {
            int start = operands.Starts[i], end = operands.Ends[i];
            if (start < lastStart || end < lastEnd || start >= end || end > kv.Rows)
                throw new ArgumentException($"{operation}: query {i} sees keys {start}..{end - 1}; ranges must be within 0..{kv.Rows - 1}, not empty and never go back.");
            (lastStart, lastEnd) = (start, end);
        }

        return operands;
    }

    // Blocks of queries and keys start with their segment, wherever that lies in a batch: so a sequence's numbers do not depend on what is before it.
    private int FindQueryBlocks(in AttentionOperands operands, int queries)
    {
        int segments = FindSegments(operands.Starts, operands.Ends, queries), count = 0;
        if (_queryBlocks.Length < queries) _queryBlocks = new AttentionQueries[queries];
        for (int s = 0; s < segments; s++)
        {
            for (int first = _segments[s]; first < _segments[s + 1]; first += AttentionOperands.Block)
                _queryBlocks[count++] = new AttentionQueries(first, Math.Min(AttentionOperands.Block, _segments[s + 1] - first), operands.Starts[_segments[s]]);
        }

        return count;
    }

    // A segment starts where no earlier query sees a key that this one or a later one sees.
    private int FindSegments(int* starts, int* ends, int queries)
    {
        if (_segments.Length < queries + 1) _segments = new int[queries + 1];
        int count = 0;
        for (int i = 0; i < queries; i++)
        {
            if (i == 0 || ends[i - 1] <= starts[i]) _segments[count++] = i;
        }

        _segments[count] = queries;
        return count;
    }
}
