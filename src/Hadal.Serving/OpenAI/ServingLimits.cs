namespace Hadal.Serving.OpenAI;

/// <summary>What a single request may ask for at most.</summary>
public sealed record ServingLimits
{
    /// <summary>Bytes of a body.</summary>
    public long MostBodyBytes { get; init; } = 8 << 20;

    /// <summary>Answers to one request (<c>n</c>), and prompts of one completion.</summary>
    public int MostChoices { get; init; } = 16;

    /// <summary>Texts of one request for embeddings; <see cref="MostChoices"/> of them are computed at once.</summary>
    public int MostInputs { get; init; } = 2048;

    /// <summary>Functions that may be called.</summary>
    public int MostTools { get; init; } = 128;

    /// <summary>Characters of a JSON Schema.</summary>
    public int MostSchemaBytes { get; init; } = 128 << 10;

    /// <summary>How long a request may take in all, waiting included.</summary>
    public TimeSpan MostTime { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>After so long without anything to say a streamed answer says that it is still there.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(10);
}
