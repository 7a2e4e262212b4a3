using Hadal.Model.Configuration;
using Hadal.Training.Experts;

namespace Hadal.Training.Parameters;

/// <summary>Weights and router biases that live in this process: of a whole model, or of one rank's part of it.</summary>
internal interface IModelWeights
{
    /// <summary>The whole model.</summary>
    ModelConfig Config { get; }

    /// <summary>The weights under their checkpoint names.</summary>
    IEnumerable<NamedParameter> Named { get; }

    /// <summary>Expert layers with router biases.</summary>
    IEnumerable<MixtureOfExperts> BiasedLayers { get; }
}
