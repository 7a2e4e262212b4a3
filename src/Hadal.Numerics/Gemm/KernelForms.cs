using System.Runtime.Intrinsics;

namespace Hadal.Numerics;

/// <summary>Forms in which kernels exist.</summary>
internal enum KernelForm
{
    Reference,
    Vector128,
    Vector256,
    Vector512,
}

/// <summary>The form that this machine runs fastest.</summary>
internal static class KernelForms
{
    public static KernelForm Current { get; } =
        Vector512.IsHardwareAccelerated ? KernelForm.Vector512 : Vector256.IsHardwareAccelerated ? KernelForm.Vector256 : KernelForm.Vector128;
}
