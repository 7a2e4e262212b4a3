using Hadal.Numerics;

namespace Hadal.Training.Parameters;

/// <summary>A trained tensor: its value and the gradient of the loss for it, of the same shape.</summary>
/// <param name="Weight">FP32 master value.</param>
/// <param name="Gradient">FP32; layers add to it.</param>
internal readonly record struct Parameter(Tensor Weight, Tensor Gradient);

/// <summary>A parameter under the name that a checkpoint gives it; several of them may lie in one <see cref="ParameterRegion"/>.</summary>
/// <param name="Name">Hugging Face name.</param>
/// <param name="Value">Views of value and gradient.</param>
internal sealed record NamedParameter(string Name, Parameter Value);

/// <summary>A contiguous stretch of the parameter memory, updated as a whole.</summary>
/// <param name="Offset">First element.</param>
/// <param name="Count">Elements.</param>
/// <param name="IsVector">True for norm weights, which some recipes exempt from weight decay.</param>
internal readonly record struct ParameterRegion(long Offset, long Count, bool IsVector);
