using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Tests;

/// <summary>Forms that differ in more than products of coded weights: what the tests of everything else run.</summary>
internal static class DistinctForms
{
    public static IReadOnlyList<KernelForm> Available { get; } =
        [.. KernelForms.Available.Where(f => f is not (KernelForm.Assembled256 or KernelForm.Assembled256Plain))];
}
