using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>One promise of <see cref="ICollective"/>, tried by all ranks of a group together.</summary>
/// <param name="Name">A sentence.</param>
/// <param name="Body">Gets the group, and what computes.</param>
internal sealed record ConformanceCase(string Name, Action<ICollective, IBackend> Body)
{
    public override string ToString() => Name;
}
