namespace Hadal.Inference.Weights;

/// <summary>How a checkpoint is loaded.</summary>
public sealed record LoadOptions
{
    /// <summary>Whether to load the MTP module, if the checkpoint has one. Without it there is no speculation, and a layer's memory is saved.</summary>
    public bool Mtp { get; init; } = true;
}
