using Hadal.Model.Configuration;

namespace Hadal.Training.Model;

/// <summary>Which part of the model a pipeline stage is: some decoder layers in a row, the first stage with the embedding, the last with final norm, MTP modules and head.</summary>
/// <param name="First">First layer.</param>
/// <param name="End">One past the last layer.</param>
/// <param name="IsFirst">Whether it begins with token ids.</param>
/// <param name="IsLast">Whether it ends with losses.</param>
internal readonly record struct StagePart(int First, int End, bool IsFirst, bool IsLast)
{
    /// <summary>The whole model as one stage.</summary>
    public static StagePart Whole(ModelConfig config) => new(0, config.Layers, true, true);

    /// <summary>Whether it looks tokens up: as input, or for MTP modules.</summary>
    public bool Embeds(ModelConfig config) => IsFirst || (IsLast && config.MtpLayers > 0);
}
