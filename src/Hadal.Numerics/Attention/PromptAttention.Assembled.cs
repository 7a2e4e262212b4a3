using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <content>Products by the panel kernels: queries, or weights, are their rows; keys, or values, their panels.</content>
internal unsafe partial struct PromptAttentionKernel
{
    private readonly void Score(byte* panels, int query, int rows, int keys, in PromptWork work)
    {
        nint stride = PromptWork.QueryStride(Shape);
        int width = Width(rows);
        var kernel = PanelKernels.Get(PanelFormat.BFloat16, rows, width, streaming: false);
        var call = new PanelCall
        {
            Left = work.Queries + query * stride,
            LeftStride = stride,
            PanelStride = Shape.KeyStride,
            CStride = PromptShape.ScoreStride * sizeof(float),
            Blocks = Shape.Depth / PanelFormat.BFloat16.Block,
        };
        // A block always has room for 256 keys: scores of those that are not there are never looked at.
        for (int key = 0; key < keys; key += width * 16)
        {
            call.Right = panels + key / 16 * (nint)Shape.KeyStride;
            call.C = work.Scores + key;
            kernel(&call);
        }
    }

    private readonly void AddValues(byte* values, int query, int rows, int keys, bool accumulate, in PromptWork work)
    {
        var call = new PanelCall
        {
            Left = work.Weights,
            LeftStride = PromptShape.ScoreStride * sizeof(ushort),
            PanelStride = Shape.ValueStride,
            CStride = Shape.ValueColumns * sizeof(float),
            Blocks = (keys + 15) / PanelFormat.BFloat16.Block,
            Accumulate = accumulate ? 1 : 0,
        };
        int width = Width(rows);
        var kernel = PanelKernels.Get(PanelFormat.BFloat16, rows, width, streaming: false);
        for (int column = 0; column < Shape.ValueColumns; column += width * 16)
        {
            if (width * 16 > Shape.ValueColumns - column)
            {
                width = Shape.ValueColumns - column >= 32 ? 2 : 1;
                kernel = PanelKernels.Get(PanelFormat.BFloat16, rows, width, streaming: false);
            }

            call.Right = values + column / 16 * (nint)Shape.ValueStride;
            call.C = work.Output + (nint)query * Shape.ValueColumns + column;
            kernel(&call);
        }
    }

    // As the portable form, with weights that go to a place of their own, two registers at a time.
    private readonly void Weigh(int query, int row, int seen, int keys, in PromptWork work)
    {
        float* scores = work.Scores + row * PromptShape.ScoreStride;
        ushort* weights = (ushort*)work.Weights + row * PromptShape.ScoreStride;
        int padded = (seen + 31) & ~31;
        for (int key = padded; key < keys; key += 32) Vector512<ushort>.Zero.Store(weights + key);
        if (seen == 0) return;
        for (int key = seen; key < padded; key++) scores[key] = float.NegativeInfinity;
        Vector512<float> even = Vector512.Load(scores), odd = Vector512.Load(scores + 16);
        for (int key = 32; key < padded; key += 32)
        {
            even = Vector512.MaxNative(even, Vector512.Load(scores + key));
            odd = Vector512.MaxNative(odd, Vector512.Load(scores + key + 16));
        }

        float peak = Correct<Lanes512>(query, Largest(Vector512.MaxNative(even, odd)), work);
        Vector512<float> scale = Vector512.Create(Scale * Exponential.Log2E), shift = Vector512.Create(-peak), total = Vector512.Load(work.Sums + query * 16);
        int whole = seen & ~31;
        for (int key = 0; key < whole; key += 32)
        {
            even = Weight(scores + key, scale, shift);
            odd = Weight(scores + key + 16, scale, shift);
            total = total + even + odd;
            Narrowed(even, odd).Store(weights + key);
        }

        if (whole < padded)
        {
            // Keys that are not seen have no weight at all.
            var lanes = Vector512<uint>.Indices;
            even = Vector512.ConditionalSelect(Vector512.LessThan(lanes, Vector512.Create((uint)(seen - whole))).AsSingle(), Weight(scores + whole, scale, shift), Vector512<float>.Zero);
            odd = Vector512.ConditionalSelect(
                Vector512.LessThan(lanes + Vector512.Create(16u), Vector512.Create((uint)(seen - whole))).AsSingle(), Weight(scores + whole + 16, scale, shift), Vector512<float>.Zero);
            total = total + even + odd;
            Narrowed(even, odd).Store(weights + whole);
        }

        total.Store(work.Sums + query * 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Weight(float* scores, Vector512<float> scale, Vector512<float> shift) =>
        Lanes512.PowerOfTwo(Vector512.FusedMultiplyAdd(Vector512.Load(scores), scale, shift));

    // 32 weights, none of them negative, rounded to bfloat16.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> Narrowed(Vector512<float> first, Vector512<float> second)
    {
        var upper = Vector512.Create(
            0x0007_0005_0003_0001, 0x000F_000D_000B_0009, 0x0017_0015_0013_0011, 0x001F_001D_001B_0019, 0x0027_0025_0023_0021, 0x002F_002D_002B_0029, 0x0037_0035_0033_0031,
            0x003F_003D_003B_0039).AsUInt16();
        return Avx512BW.PermuteVar32x16x2(Nearest(first), upper, Nearest(second));

        static Vector512<ushort> Nearest(Vector512<float> weight)
        {
            var bits = weight.AsUInt32();
            return (bits + Vector512.Create(0x7FFFu) + (Vector512.ShiftRightLogical(bits, 16) & Vector512<uint>.One)).AsUInt16();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest(Vector512<float> values)
    {
        var half = Vector256.MaxNative(values.GetLower(), values.GetUpper());
        var quarter = Vector128.MaxNative(half.GetLower(), half.GetUpper());
        quarter = Vector128.MaxNative(quarter, Vector128.Shuffle(quarter, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(quarter, Vector128.Shuffle(quarter, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    // Each tile asks for its share of the next block.
    private readonly void Fetch(byte* block, int tile, int tiles)
    {
        nint lines = Shape.BlockBytes / 64;
        for (nint line = lines * tile / tiles; line < lines * (tile + 1) / tiles; line++) Sse.Prefetch1(block + line * 64);
    }

    // Enough sums to hide the time that one takes.
    private static int Width(int rows) => rows <= 6 ? 4 : 2;
}
