using Hadal.Numerics.Lanes;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>One operation with its operands: the formula in scalar code and the portable vector form, side by side.</summary>
/// <remarks>
/// A kernel is an unmanaged struct, cut into independent items. <see cref="Reference"/> reads like the formula; <see cref="Vector{TLanes}"/> is the fast
/// form, written once for all register widths. Tests hold the second to the first.
/// </remarks>
internal interface IKernel
{
    void Reference(int item, int worker);

    void Vector<TLanes>(int item, int worker)
        where TLanes : struct, ILanes<TLanes>;
}

/// <summary>Runs a kernel in its scalar form.</summary>
internal struct ReferenceJob<TKernel>(TKernel kernel) : ITeamJob
    where TKernel : unmanaged, IKernel
{
    private readonly TKernel _kernel = kernel;

    public void Execute(int item, int worker) => _kernel.Reference(item, worker);
}

/// <summary>Runs a kernel in its vector form for one register width.</summary>
internal struct VectorJob<TKernel, TLanes>(TKernel kernel) : ITeamJob
    where TKernel : unmanaged, IKernel
    where TLanes : struct, ILanes<TLanes>
{
    private readonly TKernel _kernel = kernel;

    public void Execute(int item, int worker) => _kernel.Vector<TLanes>(item, worker);
}
