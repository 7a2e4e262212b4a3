using Hadal.Training.Batches;

namespace Hadal.Cli.Wiring;

/// <summary>What a run trains on and is validated on.</summary>
internal interface IRunData : IDisposable
{
    /// <summary>What is trained on.</summary>
    IBatchSource Training { get; }

    /// <summary>What the model is validated on; null for nothing.</summary>
    IBatchSource? Validation { get; }

    /// <summary>Micro-batches of a validation.</summary>
    int ValidationMicroBatches { get; }

    /// <summary>How much there is, in half a sentence.</summary>
    string Describe();
}
