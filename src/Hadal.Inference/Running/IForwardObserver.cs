using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <summary>Looks at the tensors of a forward pass while it runs.</summary>
public interface IForwardObserver
{
    /// <summary>Called at each point, in the order of the computation.</summary>
    /// <param name="point">Where.</param>
    /// <param name="layer">The layer; the index behind the last one for the MTP module's; -1 where there is none.</param>
    /// <param name="values">Valid during the call only.</param>
    void Observe(ForwardPoint point, int layer, Tensor values);
}
