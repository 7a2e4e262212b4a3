namespace Hadal.Serving.Load;

/// <summary>What a server is measured with. The same plan and seed ask the same.</summary>
public sealed record LoadPlan
{
    /// <summary>Requests that arrive in a second in the mean, at random and whether or not earlier ones are answered (open loop); null for a closed loop.</summary>
    public double? Rate { get; init; }

    /// <summary>Closed loop: so many clients, each of which asks again when it has its answer. 1 or more.</summary>
    public int Concurrency { get; init; } = 1;

    /// <summary>Requests in all; null for as many as fit into <see cref="Duration"/>.</summary>
    public int? Requests { get; init; }

    /// <summary>How long requests are sent; those under way are waited for. Null for no end but <see cref="Requests"/>.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Tokens of a prompt, a shared beginning not counted.</summary>
    public LengthDistribution PromptTokens { get; init; } = LengthDistribution.Fixed(128);

    /// <summary>Tokens of an answer; servers that know <c>ignore_eos</c> give exactly so many.</summary>
    public LengthDistribution AnswerTokens { get; init; } = LengthDistribution.Fixed(64);

    /// <summary>Tokens that prompts of a group begin with alike.</summary>
    public int SharedPrefixTokens { get; init; }

    /// <summary>Different such beginnings, 1 or more.</summary>
    public int PrefixGroups { get; init; } = 1;

    /// <summary>Share of requests that are given up in the middle of the answer, 0 to 1.</summary>
    public double CancelShare { get; init; }

    /// <summary>Share of readers that pause after every piece, 0 to 1.</summary>
    public double SlowShare { get; init; }

    /// <summary>How long they pause.</summary>
    public TimeSpan SlowDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>0 for greedy.</summary>
    public double Temperature { get; init; }

    /// <summary>Start of the random numbers.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How long one request may take.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);
}
