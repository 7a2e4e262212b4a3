namespace Hadal.Inference.Batching;

/// <summary>A text whose vector is wanted.</summary>
public sealed record EmbeddingRequest
{
    /// <summary>The text, at least one token and at most a whole context.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>How the vector is made.</summary>
    public Pooling Pooling { get; init; } = Pooling.Mean;

    /// <summary>Requests of a higher number go first.</summary>
    public int Priority { get; init; }

    /// <summary>Who asks. Among requests of the same priority, who has had fewer tokens goes first.</summary>
    public string Client { get; init; } = "";
}
