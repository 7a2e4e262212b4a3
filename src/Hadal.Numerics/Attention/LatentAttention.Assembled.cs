using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Hadal.Numerics.Kernels;

/// <content>Products by kernels assembled for the processor.</content>
internal unsafe partial struct LatentAttentionKernel
{
    private readonly void Score(in Block block, byte* queries, in LatentWork work)
    {
        bool isScaled = Shape.Type == DType.F8E4M3;
        var kernel = LatentKernels.Scores(Shape.Chains, isScaled);
        int bytesPerBlock = LatentScoreCode.Keys * 64 / Shape.Chains, section = isScaled ? Math.Min(LatentShape.ScaledColumns, Shape.RopeStart) : Shape.Width;
        var call = new LatentScoreCall
        {
            Queries = queries,
            RowStride = block.Stride,
            Steps = section / 2 / Shape.Chains,
            Sections = Shape.Sections,
            LastSteps = (Shape.RopeStart - (Shape.Sections - 1) * section) / 2 / Shape.Chains,
            RopeSteps = (Shape.Width - Shape.RopeStart) / 2 / Shape.Chains,
            Totals = work.Dots,
        };
        for (int segment = 0, done = 0; segment < block.Segments; segment++)
        {
            int count = block.Count(segment);
            for (int key = 0; key < count; key += LatentScoreCode.Keys, done++)
            {
                call.Rows = block.Rows(segment) + key * block.Stride;
                byte* next = key + LatentScoreCode.Keys < count ? call.Rows + LatentScoreCode.Keys * block.Stride
                    : segment + 1 < block.Segments ? block.Rows(segment + 1) : call.Rows;
                call.Scores = (float*)((byte*)work.Scores + done * bytesPerBlock);
                call.Scales = work.Scales + done * LatentScoreCode.Keys;
                call.Ahead = (nint)(next - call.Rows);
                kernel(&call);
            }
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

    // The first eight heads fetch what comes later, if they are to; the others, what they are working on.
    private readonly void Values(in Block block, int heads, bool fetch, float* output, in LatentWork work)
    {
        const int most = LatentShape.BlockKeys / LatentShape.SegmentKeys + 1;
        LatentSegment* segments = stackalloc LatentSegment[most], fetching = stackalloc LatentSegment[most];
        int count = 0;
        for (int s = 0; s < block.Segments; s++)
        {
            int pairs = block.Tail is null ? (block.Count(s) + 1) / 2 : block.Count(s) / 2;
            if (pairs > 0) segments[count++] = new LatentSegment { Rows = block.Rows(s), Pairs = pairs, Fetched = block.Rows(s) };
            if (pairs > 0) fetching[count - 1] = segments[count - 1] with { Fetched = block.Fetched(s) };
        }

        if (block.Tail != null) fetching[count] = segments[count++] = new LatentSegment { Rows = block.Tail, Pairs = 1, Fetched = block.Tail };
        var kernel = LatentKernels.Values(Shape.Chains);
        for (int section = 0; section < Shape.Sections; section++)
        {
            int column = section * LatentShape.ScaledColumns, end = section + 1 < Shape.Sections ? column + LatentShape.ScaledColumns : Shape.OutputColumns;
            for (int head = 0; head < heads; head += LatentValueCode.Heads)
            {
                bool isFetching = fetch && head == 0;
                var call = new LatentValueCall
                {
                    Segments = isFetching ? fetching : segments,
                    SegmentCount = count,
                    RowStride = block.Stride,
                    FetchedStride = isFetching ? Cache.Stride : block.Stride,
                    Column = column * sizeof(ushort),
                    Strips = (end - column) / LatentShape.StripColumns,
                    Weights = (uint*)(work.Weights + section * LatentShape.BlockKeys * 16) + head,
                    Output = output + (nint)head * Shape.OutputColumns + column,
                    OutputStride = Shape.OutputColumns * sizeof(float),
                    Constants = LatentValueCode.Constants,
                };
                kernel(&call);
            }
        }
    }
}
