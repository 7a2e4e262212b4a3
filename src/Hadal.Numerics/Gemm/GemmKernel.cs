using System.Runtime.CompilerServices;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>What a micro-kernel multiplies: R rows of A by P panels (sixteen columns each) of B.</summary>
internal unsafe struct KernelCall
{
    /// <summary>Element (row 0, k 0) of A; row r lies a layout-dependent distance away, the next k <see cref="LeftStep"/> floats.</summary>
    public float* Left;

    public nint LeftStride;

    public nint LeftStep;

    /// <summary>Element (k 0, column 0) of B; the next k lies <see cref="RightStep"/> bytes away, the next panel <see cref="RightPanel"/> bytes.</summary>
    public byte* Right;

    public nint RightStep;

    public nint RightPanel;

    public float* C;

    public nint Ldc;

    public int Depth;

    /// <summary>Start from what C holds, not from zero.</summary>
    public bool Accumulate;
}

/// <summary>Distance in floats between the rows of A that a micro-kernel reads; a constant where it can be one.</summary>
internal interface ILeftLayout
{
    static abstract nint RowStride(nint stride);
}

/// <summary>Rows copied to scratch.</summary>
internal readonly struct CopiedRows : ILeftLayout
{
    public static nint RowStride(nint stride) => GemmScratch.RowStride;
}

/// <summary>A transposed A: the rows of one k lie side by side.</summary>
internal readonly struct AdjacentRows : ILeftLayout
{
    public static nint RowStride(nint stride) => 1;
}

/// <summary>Rows in place, any distance apart.</summary>
internal readonly struct StridedRows : ILeftLayout
{
    public static nint RowStride(nint stride) => stride;
}

/// <summary>Sixteen elements of B as FP32 lanes.</summary>
internal unsafe interface IRightElement
{
    static abstract V Load<V>(byte* source) where V : struct, ILanes<V>;
}

internal readonly unsafe struct SingleElement : IRightElement
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* source) where V : struct, ILanes<V> => V.Load((float*)source);
}

internal readonly unsafe struct BFloat16Element : IRightElement
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* source) where V : struct, ILanes<V> => V.LoadBFloat16((ushort*)source);
}

/// <summary>The micro-kernel: one body, of which the JIT makes every size, since the conditions on R and P are constants.</summary>
/// <remarks>
/// Names: cRP is the accumulator of row R (0 … b) and panel P. Each is one chain of fused multiply-adds over ascending k, which is the contract of
/// <see cref="Gemm"/>. Up to 24 accumulators of 512 bits stay in registers beside the panels' two loads and the broadcast element of A; rows 4 and up have
/// no panels 2 and 3. Compiled fully on first use: it is worth nothing half-optimised, and has no statics or profile that tiering would help with.
/// </remarks>
internal static unsafe class GemmKernel<V, R, P, L, E>
    where V : struct, ILanes<V>
    where R : struct, ICount
    where P : struct, ICount
    where L : struct, ILeftLayout
    where E : struct, IRightElement
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in KernelCall call)
    {
        V z = V.Zero;
        V c00 = z, c01 = z, c02 = z, c03 = z, c10 = z, c11 = z, c12 = z, c13 = z, c20 = z, c21 = z, c22 = z, c23 = z, c30 = z, c31 = z, c32 = z, c33 = z;
        V c40 = z, c41 = z, c50 = z, c51 = z, c60 = z, c61 = z, c70 = z, c71 = z, c80 = z, c81 = z, c90 = z, c91 = z, ca0 = z, ca1 = z, cb0 = z, cb1 = z;
        float* c = call.C;
        nint ldc = call.Ldc;
        if (call.Accumulate)
        {
            Load(c, ref c00, ref c01, ref c02, ref c03);
            if (R.Value > 1) Load(c + ldc, ref c10, ref c11, ref c12, ref c13);
            if (R.Value > 2) Load(c + 2 * ldc, ref c20, ref c21, ref c22, ref c23);
            if (R.Value > 3) Load(c + 3 * ldc, ref c30, ref c31, ref c32, ref c33);
            if (R.Value > 4) Load(c + 4 * ldc, ref c40, ref c41);
            if (R.Value > 5) Load(c + 5 * ldc, ref c50, ref c51);
            if (R.Value > 6) Load(c + 6 * ldc, ref c60, ref c61);
            if (R.Value > 7) Load(c + 7 * ldc, ref c70, ref c71);
            if (R.Value > 8) Load(c + 8 * ldc, ref c80, ref c81);
            if (R.Value > 9) Load(c + 9 * ldc, ref c90, ref c91);
            if (R.Value > 10) Load(c + 10 * ldc, ref ca0, ref ca1);
            if (R.Value > 11) Load(c + 11 * ldc, ref cb0, ref cb1);
        }

        float* a = call.Left;
        byte* b = call.Right;
        nint s = L.RowStride(call.LeftStride), leftStep = call.LeftStep, rightStep = call.RightStep, panel = call.RightPanel;
        for (int k = call.Depth; k > 0; k--)
        {
            V b0 = E.Load<V>(b), b1 = z, b2 = z, b3 = z;
            if (P.Value > 1) b1 = E.Load<V>(b + panel);
            if (P.Value > 2) b2 = E.Load<V>(b + 2 * panel);
            if (P.Value > 3) b3 = E.Load<V>(b + 3 * panel);
            Multiply(a[0], b0, b1, b2, b3, ref c00, ref c01, ref c02, ref c03);
            if (R.Value > 1) Multiply(a[s], b0, b1, b2, b3, ref c10, ref c11, ref c12, ref c13);
            if (R.Value > 2) Multiply(a[2 * s], b0, b1, b2, b3, ref c20, ref c21, ref c22, ref c23);
            if (R.Value > 3) Multiply(a[3 * s], b0, b1, b2, b3, ref c30, ref c31, ref c32, ref c33);
            if (R.Value > 4) Multiply(a[4 * s], b0, b1, ref c40, ref c41);
            if (R.Value > 5) Multiply(a[5 * s], b0, b1, ref c50, ref c51);
            if (R.Value > 6) Multiply(a[6 * s], b0, b1, ref c60, ref c61);
            if (R.Value > 7) Multiply(a[7 * s], b0, b1, ref c70, ref c71);
            if (R.Value > 8) Multiply(a[8 * s], b0, b1, ref c80, ref c81);
            if (R.Value > 9) Multiply(a[9 * s], b0, b1, ref c90, ref c91);
            if (R.Value > 10) Multiply(a[10 * s], b0, b1, ref ca0, ref ca1);
            if (R.Value > 11) Multiply(a[11 * s], b0, b1, ref cb0, ref cb1);
            a += leftStep;
            b += rightStep;
        }

        Store(c, c00, c01, c02, c03);
        if (R.Value > 1) Store(c + ldc, c10, c11, c12, c13);
        if (R.Value > 2) Store(c + 2 * ldc, c20, c21, c22, c23);
        if (R.Value > 3) Store(c + 3 * ldc, c30, c31, c32, c33);
        if (R.Value > 4) Store(c + 4 * ldc, c40, c41);
        if (R.Value > 5) Store(c + 5 * ldc, c50, c51);
        if (R.Value > 6) Store(c + 6 * ldc, c60, c61);
        if (R.Value > 7) Store(c + 7 * ldc, c70, c71);
        if (R.Value > 8) Store(c + 8 * ldc, c80, c81);
        if (R.Value > 9) Store(c + 9 * ldc, c90, c91);
        if (R.Value > 10) Store(c + 10 * ldc, ca0, ca1);
        if (R.Value > 11) Store(c + 11 * ldc, cb0, cb1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply(float a, V b0, V b1, V b2, V b3, ref V c0, ref V c1, ref V c2, ref V c3)
    {
        V x = V.Broadcast(a);
        c0 = V.FusedMultiplyAdd(x, b0, c0);
        if (P.Value > 1) c1 = V.FusedMultiplyAdd(x, b1, c1);
        if (P.Value > 2) c2 = V.FusedMultiplyAdd(x, b2, c2);
        if (P.Value > 3) c3 = V.FusedMultiplyAdd(x, b3, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply(float a, V b0, V b1, ref V c0, ref V c1)
    {
        V x = V.Broadcast(a);
        c0 = V.FusedMultiplyAdd(x, b0, c0);
        if (P.Value > 1) c1 = V.FusedMultiplyAdd(x, b1, c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load(float* c, ref V c0, ref V c1, ref V c2, ref V c3)
    {
        Load(c, ref c0, ref c1);
        if (P.Value > 2) c2 = V.Load(c + 32);
        if (P.Value > 3) c3 = V.Load(c + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load(float* c, ref V c0, ref V c1)
    {
        c0 = V.Load(c);
        if (P.Value > 1) c1 = V.Load(c + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, V c0, V c1, V c2, V c3)
    {
        Store(c, c0, c1);
        if (P.Value > 2) V.Store(c2, c + 32);
        if (P.Value > 3) V.Store(c3, c + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, V c0, V c1)
    {
        V.Store(c0, c);
        if (P.Value > 1) V.Store(c1, c + 16);
    }
}
