using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Hadal.Numerics.Kernels;

/// <summary>Square blocks of floats transposed in registers: row r starts at source + rows[r], column c goes to destination + 16·c.</summary>
internal static unsafe class SquareTranspose
{
    public static bool Has4 => Sse.IsSupported || AdvSimd.Arm64.IsSupported;

    public static bool Has16 => Avx512F.IsSupported && Avx512BW.IsSupported;

    /// <summary>4×4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Of4(float* source, nint* rows, float* destination)
    {
        var r0 = Vector128.Load(source + rows[0]);
        var r1 = Vector128.Load(source + rows[1]);
        var r2 = Vector128.Load(source + rows[2]);
        var r3 = Vector128.Load(source + rows[3]);
        Vector128<float> c0, c1, c2, c3;
        if (Sse.IsSupported)
        {
            // Lanes of low01: r0[0] r1[0] r0[1] r1[1].
            Vector128<float> low01 = Sse.UnpackLow(r0, r1), high01 = Sse.UnpackHigh(r0, r1), low23 = Sse.UnpackLow(r2, r3), high23 = Sse.UnpackHigh(r2, r3);
            (c0, c1) = (Sse.MoveLowToHigh(low01, low23), Sse.MoveHighToLow(low23, low01));
            (c2, c3) = (Sse.MoveLowToHigh(high01, high23), Sse.MoveHighToLow(high23, high01));
        }
        else
        {
            Vector128<double> low01 = AdvSimd.Arm64.ZipLow(r0, r1).AsDouble(), high01 = AdvSimd.Arm64.ZipHigh(r0, r1).AsDouble();
            Vector128<double> low23 = AdvSimd.Arm64.ZipLow(r2, r3).AsDouble(), high23 = AdvSimd.Arm64.ZipHigh(r2, r3).AsDouble();
            (c0, c1) = (AdvSimd.Arm64.ZipLow(low01, low23).AsSingle(), AdvSimd.Arm64.ZipHigh(low01, low23).AsSingle());
            (c2, c3) = (AdvSimd.Arm64.ZipLow(high01, high23).AsSingle(), AdvSimd.Arm64.ZipHigh(high01, high23).AsSingle());
        }

        c0.Store(destination);
        c1.Store(destination + 16);
        c2.Store(destination + 32);
        c3.Store(destination + 48);
    }

    /// <summary>16×16, with AVX-512.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Of16(float* source, nint* rows, float* destination) => Of16<Untouched>(source, rows, destination);

    /// <summary>16×16, with AVX-512; every column passes through <typeparamref name="TTouch"/> on its way to memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Of16<TTouch>(float* source, nint* rows, float* destination) where TTouch : struct, IColumnTouch
    {
        Quarter(source, rows, out var a0, out var a1, out var a2, out var a3);
        Quarter(source, rows + 4, out var b0, out var b1, out var b2, out var b3);
        Quarter(source, rows + 8, out var c0, out var c1, out var c2, out var c3);
        Quarter(source, rows + 12, out var d0, out var d1, out var d2, out var d3);
        Finish<TTouch>(a0, b0, c0, d0, destination);
        Finish<TTouch>(a1, b1, c1, d1, destination + 16);
        Finish<TTouch>(a2, b2, c2, d2, destination + 32);
        Finish<TTouch>(a3, b3, c3, d3, destination + 48);
    }

    // Of four rows: lane 4·L + i of output j is row i's element 4·L + j.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarter(
        float* source, nint* rows, out Vector512<float> q0, out Vector512<float> q1, out Vector512<float> q2, out Vector512<float> q3)
    {
        var r0 = Vector512.Load(source + rows[0]);
        var r1 = Vector512.Load(source + rows[1]);
        var r2 = Vector512.Load(source + rows[2]);
        var r3 = Vector512.Load(source + rows[3]);
        Vector512<double> low01 = Avx512F.UnpackLow(r0, r1).AsDouble(), high01 = Avx512F.UnpackHigh(r0, r1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(r2, r3).AsDouble(), high23 = Avx512F.UnpackHigh(r2, r3).AsDouble();
        q0 = Avx512F.UnpackLow(low01, low23).AsSingle();
        q1 = Avx512F.UnpackHigh(low01, low23).AsSingle();
        q2 = Avx512F.UnpackLow(high01, high23).AsSingle();
        q3 = Avx512F.UnpackHigh(high01, high23).AsSingle();
    }

    // Columns j, j + 4, j + 8, j + 12: a 4×4 transpose of whole 128-bit parts.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TTouch>(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* destination)
        where TTouch : struct, IColumnTouch
    {
        Vector512<float> ab = Avx512F.Shuffle4x128(a, b, 0x44), cd = Avx512F.Shuffle4x128(c, d, 0x44);
        Vector512<float> ab2 = Avx512F.Shuffle4x128(a, b, 0xEE), cd2 = Avx512F.Shuffle4x128(c, d, 0xEE);
        TTouch.Store(TTouch.Apply(Avx512F.Shuffle4x128(ab, cd, 0x88)), destination);
        TTouch.Store(TTouch.Apply(Avx512F.Shuffle4x128(ab, cd, 0xDD)), destination + 64);
        TTouch.Store(TTouch.Apply(Avx512F.Shuffle4x128(ab2, cd2, 0x88)), destination + 128);
        TTouch.Store(TTouch.Apply(Avx512F.Shuffle4x128(ab2, cd2, 0xDD)), destination + 192);
    }

    private readonly struct Untouched : IColumnTouch
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Apply(Vector512<float> column) => column;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<float> column, float* destination) => column.Store(destination);
    }
}

/// <summary>A last change to sixteen units of four bytes that a transposition puts side by side.</summary>
internal unsafe interface IColumnTouch
{
    /// <summary>The units after the change.</summary>
    static abstract Vector512<float> Apply(Vector512<float> column);

    /// <summary>Brings the units to memory.</summary>
    static abstract void Store(Vector512<float> column, float* destination);
}
