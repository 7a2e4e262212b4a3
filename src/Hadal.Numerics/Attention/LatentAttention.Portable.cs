using System.Runtime.Intrinsics;

namespace Hadal.Numerics.Kernels;

/// <content>
/// Products by the FP32 micro-kernels. bfloat16 is widened in the order in which the contract adds it: the two columns of a pair change places for the scores, the two
/// keys of a pair for the weighted sums.
/// </content>
internal unsafe partial struct LatentAttentionKernel
{
    private readonly void ScorePortable(in Block block, byte* queries, in LatentWork work)
    {
        bool widen = Shape.Type != DType.F32;
        for (int segment = 0; segment < block.Segments; segment++)
        {
            int first = segment * LatentShape.SegmentKeys, keys = block.Count(segment);
            var rows = (float*)block.Rows(segment);
            nint stride = block.Stride / sizeof(float);
            if (widen)
            {
                rows = work.Widened + (nint)first * Shape.RowElements;
                stride = Shape.RowElements;
                for (int key = 0; key < keys; key++) Widen((uint*)(block.Rows(segment) + key * block.Stride), rows + key * stride, exchange: true);
            }

            float* scores = work.Scores + first * 16 / Shape.Chains;
            if (Shape.Type != DType.F8E4M3)
            {
                Score(rows, stride, 0, Shape.Width, keys, (float*)queries, scores, work.Dots);
                continue;
            }

            float* totals = work.Dots + LatentShape.SegmentKeys * 16, dots = totals + LatentShape.SegmentKeys * 16;
            new Span<float>(totals, keys * 16).Clear();
            for (int section = 0, column = 0; column < Shape.Width; section++)
            {
                bool isRope = section == Shape.Sections;
                int end = isRope ? Shape.Width : Math.Min(Shape.RopeStart, column + LatentShape.ScaledColumns);
                Multiply(rows, stride, column, end, keys, (float*)queries, dots);
                AddScaled(dots, isRope ? null : work.Scales + section * LatentShape.BlockKeys + first, totals, keys);
                column = end;
            }

            if (Shape.Chains == 2) AddChains(totals, scores, keys);
            else new ReadOnlySpan<float>(totals, keys * 16).CopyTo(new Span<float>(scores, keys * 16));
        }
    }

    // Scores of up to 64 keys over a range of columns.
    private readonly void Score(float* rows, nint stride, int column, int end, int keys, float* queries, float* scores, float* room)
    {
        Multiply(rows, stride, column, end, keys, queries, Shape.Chains == 1 ? scores : room);
        if (Shape.Chains == 2) AddChains(room, scores, keys);
    }

    private readonly void Multiply(float* rows, nint stride, int column, int end, int keys, float* queries, float* sums) =>
        AttentionOperands.Product(Form, rows + column, stride, false, queries + column * 16, 16, false, sums, 16, keys, 16, end - column, false);

    private static void AddChains(float* sums, float* scores, int keys)
    {
        for (int key = 0; key < keys; key++)
        {
            for (int h = 0; h < 8; h++) scores[key / 2 * 16 + h * 2 + key % 2] = sums[key * 16 + h] + sums[key * 16 + 8 + h];
        }
    }

    // totals = dots·scale + totals, the scale of each key.
    private static void AddScaled(float* dots, float* scales, float* totals, int keys)
    {
        for (int key = 0; key < keys; key++)
        {
            var scale = Vector512.Create(scales is null ? 1 : scales[key]);
            Vector512.FusedMultiplyAdd(Vector512.Load(dots + key * 16), scale, Vector512.Load(totals + key * 16)).Store(totals + key * 16);
        }
    }

    // A row in FP32, subnormals zero; for the scores the two columns of a pair change places.
    private readonly void Widen(uint* pairs, float* values, bool exchange)
    {
        for (int i = 0; i < Shape.RowElements / 2; i += 2)
        {
            var pair = Vector64.Load(pairs + i).ToVector128Unsafe();
            if (exchange) pair = Vector128.ShiftLeft(pair, 16) | Vector128.ShiftRightLogical(pair, 16);
            Flushed(Vector128.WidenLower(pair.AsUInt16())).Store((uint*)values + i * 2);
        }

        static Vector128<uint> Flushed(Vector128<uint> code)
        {
            var isTiny = Vector128.Equals(code & Vector128.Create(0x7F80u), Vector128<uint>.Zero);
            return Vector128.ShiftLeft(Vector128.ConditionalSelect(isTiny, code & Vector128.Create(0x8000u), code), 16);
        }
    }

    // Weights as [keys][heads, 16 apart], rounded to bfloat16 and with neighbouring keys exchanged; of an FP32 cache they stay as they are.
    private readonly void NarrowWeightsPortable(int keys, in LatentWork work)
    {
        if (Shape.Type == DType.F32) return;
        for (int section = 0; section < Shape.Sections; section++)
        {
            float* scales = Shape.Type == DType.F8E4M3 ? work.Scales + section * LatentShape.BlockKeys : null;
            float* to = work.Weights + section * LatentShape.BlockKeys * 16;
            if (keys % 2 != 0 && scales != null) scales[keys] = 0;
            for (int r = 0; r < (keys + 1) / 2 * 2 / Shape.Chains; r++)
            {
                var rounded = RoundedScaled(work.Scores + r * 16, scales is null ? null : scales + r * Shape.Chains) & Vector512.Create(0xFFFF0000u);
                var isTiny = Vector512.Equals(rounded & Vector512.Create(0x7F800000u), Vector512<uint>.Zero);
                rounded = Vector512.ConditionalSelect(isTiny, Vector512<uint>.Zero, rounded);
                if (Shape.Chains == 1)
                {
                    rounded.Store((uint*)to + (r ^ 1) * 16);
                    continue;
                }

                for (int lane = 0; lane < 16; lane++) ((uint*)to)[(r * 2 + (lane % 2 ^ 1)) * 16 + lane / 2] = rounded[lane];
            }
        }
    }

    private readonly void ValuesPortable(in Block block, float* output, in LatentWork work)
    {
        if (Shape.Type == DType.F32)
        {
            for (int s = 0; s < block.Segments; s++)
                Sum(work.Scores + s * LatentShape.SegmentKeys * 16, block.Count(s), (float*)block.Rows(s), block.Stride / sizeof(float), 0, Shape.Rank, output, s > 0);
            return;
        }

        int keys = block.Keys;
        for (int key = 0; key < keys; key++)
        {
            int segment = key / LatentShape.SegmentKeys;
            Widen((uint*)(block.Rows(segment) + key % LatentShape.SegmentKeys * block.Stride), work.Widened + (nint)(key ^ 1) * Shape.RowElements, exchange: false);
        }

        if (keys % 2 != 0) new Span<float>(work.Widened + (nint)(keys - 1) * Shape.RowElements, Shape.RowElements).Clear();
        for (int section = 0; section < Shape.Sections; section++)
        {
            int column = section * LatentShape.ScaledColumns, end = section + 1 < Shape.Sections ? column + LatentShape.ScaledColumns : Shape.Rank;
            Sum(work.Weights + section * LatentShape.BlockKeys * 16, (keys + 1) & ~1, work.Widened, Shape.RowElements, column, end, output, false);
        }
    }

    private readonly void Sum(float* weights, int keys, float* rows, nint stride, int column, int end, float* output, bool accumulate) => AttentionOperands.Product(
        Form, weights, 16, true, rows + column, stride, false, output + column, Shape.OutputColumns, Shape.GroupHeads, end - column, keys, accumulate);
}
