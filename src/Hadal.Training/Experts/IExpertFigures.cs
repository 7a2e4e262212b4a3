namespace Hadal.Training.Experts;

/// <summary>How the experts of one layer were used, over all ranks that train.</summary>
internal interface IExpertFigures
{
    /// <summary>Experts chosen per token.</summary>
    int Chosen { get; }

    /// <summary>Tokens routed to each expert in this step.</summary>
    ReadOnlySpan<long> Load { get; }

    /// <summary>Of this step: tokens with at least one expert in each group.</summary>
    ReadOnlySpan<long> TokensPerGroup { get; }

    /// <summary>The correction bias of each expert; all 0 if the model has none.</summary>
    ReadOnlySpan<float> Biases { get; }

    /// <summary>Tokens that the last evaluation routed to each expert.</summary>
    ReadOnlySpan<long> EvaluatedLoad { get; }

    /// <summary>[T·C] choices of the first micro-batch of the last evaluation, C of a token in a row, while <see cref="Runs.ITrainingEngine.Evaluate"/> tells of it.</summary>
    ReadOnlySpan<int> EvaluatedChoices { get; }
}
