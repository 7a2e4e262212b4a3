using System.Runtime.Intrinsics.Arm;
using Hadal.Numerics.Lanes;

namespace Hadal.Numerics.Kernels;

/// <summary>The micro-kernels of one vector form, by size.</summary>
/// <remarks>
/// Sizes follow from the registers: 12×32 and 4×64 in thirty-two of 512 bits, 6×16 in sixteen of 256 bits or thirty-two of 128 bits (Arm), 2×16 in sixteen of
/// 128 bits.
/// </remarks>
internal static class GemmKernels<V>
    where V : struct, ILanes<V>
{
    /// <summary>Rows of the largest kernel.</summary>
    public static int Rows => typeof(V) == typeof(Lanes512) ? 12 : typeof(V) == typeof(Lanes256) || AdvSimd.IsSupported ? 6 : 2;

    /// <summary>Panels of the largest kernel.</summary>
    public static int Panels => typeof(V) == typeof(Lanes512) ? 2 : 1;

    /// <summary>Rows of the largest kernel for A in place.</summary>
    public static int ThinRows => Math.Min(Rows, 8);

    /// <summary>Panels of a kernel for A in place: as many as registers hold, since each is one more independent chain; a power of two.</summary>
    /// <param name="rows">Rows of the kernel, at most <see cref="ThinRows"/>.</param>
    public static int ThinPanels(int rows) =>
        typeof(V) == typeof(Lanes512) ? (rows <= 4 ? 4 : 2)
        : typeof(V) == typeof(Lanes256) || AdvSimd.IsSupported ? (rows == 1 ? 4 : rows == 2 ? 2 : 1)
        : rows == 1 ? 2 : 1;

    /// <summary>For copied or transposed A.</summary>
    public static void RunWide<L>(int rows, int panels, in KernelCall call)
        where L : struct, ILeftLayout
    {
        if (Panels > 1 && panels > 1) RunWide<Two, L>(rows, call);
        else RunWide<One, L>(rows, call);
    }

    /// <summary>For a few rows in place.</summary>
    public static void RunThin<L, E>(int rows, int panels, in KernelCall call)
        where L : struct, ILeftLayout
        where E : struct, IRightElement
    {
        if (panels == 1) RunThin<One, L, E>(rows, call);
        else if (panels == 2) RunThin<Two, L, E>(rows, call);
        else RunThin<Four, L, E>(rows, call);
    }

    private static void RunThin<P, L, E>(int rows, in KernelCall call)
        where P : struct, ICount
        where L : struct, ILeftLayout
        where E : struct, IRightElement
    {
        switch (rows)
        {
            case 1:
                GemmKernel<V, One, P, L, E>.Run(call);
                break;
            case 2:
                GemmKernel<V, Two, P, L, E>.Run(call);
                break;
            case 3:
                GemmKernel<V, Three, P, L, E>.Run(call);
                break;
            case 4:
                GemmKernel<V, Four, P, L, E>.Run(call);
                break;
            case 5:
                GemmKernel<V, Five, P, L, E>.Run(call);
                break;
            case 6:
                GemmKernel<V, Six, P, L, E>.Run(call);
                break;
            case 7:
                GemmKernel<V, Seven, P, L, E>.Run(call);
                break;
            default:
                GemmKernel<V, Eight, P, L, E>.Run(call);
                break;
        }
    }

    private static void RunWide<P, L>(int rows, in KernelCall call)
        where P : struct, ICount
        where L : struct, ILeftLayout
    {
        switch (rows)
        {
            case 1:
                GemmKernel<V, One, P, L, SingleElement>.Run(call);
                break;
            case 2:
                GemmKernel<V, Two, P, L, SingleElement>.Run(call);
                break;
            case 3:
                GemmKernel<V, Three, P, L, SingleElement>.Run(call);
                break;
            case 4:
                GemmKernel<V, Four, P, L, SingleElement>.Run(call);
                break;
            case 5:
                GemmKernel<V, Five, P, L, SingleElement>.Run(call);
                break;
            case 6:
                GemmKernel<V, Six, P, L, SingleElement>.Run(call);
                break;
            case 7:
                GemmKernel<V, Seven, P, L, SingleElement>.Run(call);
                break;
            case 8:
                GemmKernel<V, Eight, P, L, SingleElement>.Run(call);
                break;
            case 9:
                GemmKernel<V, Nine, P, L, SingleElement>.Run(call);
                break;
            case 10:
                GemmKernel<V, Ten, P, L, SingleElement>.Run(call);
                break;
            case 11:
                GemmKernel<V, Eleven, P, L, SingleElement>.Run(call);
                break;
            default:
                GemmKernel<V, Twelve, P, L, SingleElement>.Run(call);
                break;
        }
    }
}
