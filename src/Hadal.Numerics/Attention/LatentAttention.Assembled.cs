using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Hadal.Numerics.Kernels;

/// <content>Products by kernels assembled for the processor.</content>
internal unsafe partial struct LatentAttentionKernel
{
    private readonly void Score(in Block block, byte* queries, in LatentWork work)
    {
        var kernel = LatentKernels.Scores(Shape.Chains);
        int bytesPerBlock = LatentScoreCode.Keys * 64 / Shape.Chains;
        for (int segment = 0, done = 0; segment < block.Segments; segment++)
        {
            int count = block.Count(segment);
            for (int key = 0; key < count; key += LatentScoreCode.Keys, done++)
            {
                byte* rows = block.Rows(segment) + key * block.Stride;
                byte* next = key + LatentScoreCode.Keys < count ? rows + LatentScoreCode.Keys * block.Stride
                    : segment + 1 < block.Segments ? block.Rows(segment + 1) : rows;
                var call = new LatentScoreCall
                {
                    Queries = queries,
                    Rows = rows,
                    RowStride = block.Stride,
                    Steps = Shape.Width / 2 / Shape.Chains,
                    Scores = (float*)((byte*)work.Scores + done * bytesPerBlock),
                    Ahead = (nint)(next - rows),
                };
                if (Shape.Type == DType.F8E4M3) ScoreSections(kernel, call, work, key + segment * LatentShape.SegmentKeys);
                else kernel(&call);
            }
        }
    }

    private readonly void ScoreSections(delegate* unmanaged[SuppressGCTransition]<LatentScoreCall*, void> kernel, LatentScoreCall call, in LatentWork work, int firstKey)
    {
        float* scores = call.Scores;
        call.Scores = work.Dots;
        int values = LatentScoreCode.Keys * 16 / Shape.Chains;
        for (int section = 0, column = 0; column < Shape.Width; section++)
        {
            bool isRope = section == Shape.Sections;
            int end = isRope ? Shape.Width : Math.Min(Shape.RopeStart, column + LatentShape.ScaledColumns);
            call.Steps = (end - column) / 2 / Shape.Chains;
            kernel(&call);
            AddScaled(work.Dots, isRope ? null : work.Scales + section * LatentShape.BlockKeys + firstKey, scores, values, section == 0);
            call.Queries += call.Steps * 64;
            call.Rows += (end - column) * sizeof(ushort);
            column = end;
        }
    }

    // scores = dots·scale + scores, the scale of each key, or of each key of a pair.
    private readonly void AddScaled(float* dots, float* scales, float* scores, int count, bool first)
    {
        for (int i = 0, key = 0; i < count; i += 16, key += Shape.Chains)
        {
            var scale = scales is null ? Vector512<float>.One : ScaleOf(scales + key);
            var before = first ? Vector512<float>.Zero : Vector512.Load(scores + i);
            Vector512.FusedMultiplyAdd(Vector512.Load(dots + i), scale, before).Store(scores + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector512<float> ScaleOf(float* scales) => Shape.Chains == 1 ? Vector512.Create(*scales) : Vector512.Create(*(ulong*)scales).AsSingle();

    // Weights in FP32 to pairs of bfloat16: [pairs of keys][heads][2].
    private readonly void NarrowWeights(int keys, in LatentWork work)
    {
        int pairs = (keys + 1) / 2;
        for (int section = 0; section < Shape.Sections; section++)
        {
            float* scales = Shape.Type == DType.F8E4M3 ? work.Scales + section * LatentShape.BlockKeys : null;
            uint* to = (uint*)(work.Weights + section * LatentShape.BlockKeys * 16);
            if (keys % 2 != 0 && scales != null) scales[keys] = 0;
            for (int pair = 0; pair < pairs; pair++)
            {
                if (Shape.Chains == 1)
                {
                    float* from = work.Scores + pair * 32;
                    var even = RoundedScaled(from, scales is null ? null : scales + pair * 2);
                    var odd = RoundedScaled(from + 16, scales is null ? null : scales + pair * 2 + 1);
                    (Vector512.ShiftRightLogical(even, 16) | (odd & Vector512.Create(0xFFFF0000u))).Store(to + pair * 16);
                    continue;
                }

                var upper = Vector512.ShiftRightLogical(RoundedScaled(work.Scores + pair * 16, scales is null ? null : scales + pair * 2), 16);
                Avx512F.ConvertToVector256UInt16(upper).Store((ushort*)(to + pair * 8));
            }
        }
    }

    // A weight that is not negative, rounded to bfloat16 in the upper half; the lower half is anything.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector512<uint> RoundedScaled(float* weights, float* scales)
    {
        var value = Vector512.Load(weights);
        if (scales != null) value *= ScaleOf(scales);
        var bits = value.AsUInt32();
        return bits + Vector512.Create(0x7FFFu) + (Vector512.ShiftRightLogical(bits, 16) & Vector512<uint>.One);
    }

    private readonly void Values(in Block block, int heads, float* output, in LatentWork work)
    {
        var segments = stackalloc LatentSegment[LatentShape.BlockKeys / LatentShape.SegmentKeys + 1];
        int count = 0;
        for (int s = 0; s < block.Segments; s++)
        {
            int pairs = block.Tail is null ? (block.Count(s) + 1) / 2 : block.Count(s) / 2;
            if (pairs > 0) segments[count++] = new LatentSegment { Rows = block.Rows(s), Pairs = pairs, Ahead = block.Ahead(s) };
        }

        if (block.Tail != null) segments[count++] = new LatentSegment { Rows = block.Tail, Pairs = 1 };
        var kernel = LatentKernels.Values(Shape.Chains);
        for (int section = 0; section < Shape.Sections; section++)
        {
            int column = section * LatentShape.ScaledColumns, end = section + 1 < Shape.Sections ? column + LatentShape.ScaledColumns : Shape.OutputColumns;
            for (int head = 0; head < heads; head += LatentValueCode.Heads)
            {
                var call = new LatentValueCall
                {
                    Segments = segments,
                    SegmentCount = count,
                    RowStride = block.Stride,
                    Column = column * sizeof(ushort),
                    Strips = (end - column) / LatentShape.StripColumns,
                    Weights = (uint*)(work.Weights + section * LatentShape.BlockKeys * 16) + head,
                    Output = output + (nint)head * Shape.OutputColumns + column,
                    OutputStride = Shape.OutputColumns * sizeof(float),
                    Constants = LatentValueCode.Constants,
                };
                kernel(&call);
                for (int s = 0; s < count; s++) segments[s].Ahead = 0;
            }
        }
    }
}
