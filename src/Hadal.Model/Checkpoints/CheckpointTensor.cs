using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>A tensor that a checkpoint has.</summary>
/// <param name="Name">Its Hugging Face name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions.</param>
/// <param name="File">Name of the file that holds it, without the folder.</param>
public sealed record CheckpointTensor(string Name, DType Type, Shape Shape, string File);
