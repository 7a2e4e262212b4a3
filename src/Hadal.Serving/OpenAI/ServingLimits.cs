namespace Hadal.Serving.OpenAI;

/// <summary>What a single request may ask for at most.</summary>
public sealed record ServingLimits
{
    // What timers can wait for is 49.7 days.
    private static readonly TimeSpan _longest = TimeSpan.FromDays(49);

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

    /// <summary>Checks every value.</summary>
    /// <returns>What is wrong, a sentence each that names the value and its range.</returns>
    internal IEnumerable<string> Problems()
    {
        if (MostBodyBytes < 1) yield return $"Limits:MostBodyBytes is {MostBodyBytes}; it has to be 1 or more.";
        if (MostChoices < 1) yield return $"Limits:MostChoices is {MostChoices}; it has to be 1 or more.";
        if (MostInputs < 1) yield return $"Limits:MostInputs is {MostInputs}; it has to be 1 or more.";
        if (MostTools < 0) yield return $"Limits:MostTools is {MostTools}; it has to be 0 or more.";
        if (MostSchemaBytes < 0) yield return $"Limits:MostSchemaBytes is {MostSchemaBytes}; it has to be 0 or more.";
        if (MostTime <= TimeSpan.Zero || MostTime > _longest) yield return $"Limits:MostTime is {MostTime}; it has to be above 0 and at most {_longest.Days} days.";
        if (KeepAlive <= TimeSpan.Zero || KeepAlive > _longest) yield return $"Limits:KeepAlive is {KeepAlive}; it has to be above 0 and at most {_longest.Days} days.";
    }
}
