using System.CommandLine;
using Hadal.Cli.CommandLine;
using Hadal.Inference.Generation;
using Hadal.Inference.Sampling;

namespace Hadal.Cli.Wiring;

/// <summary>The options that say how text is generated, for every command that does.</summary>
internal sealed class SamplingArguments
{
    private readonly Option<int> _maxTokens;
    private readonly Option<double> _temperature;
    private readonly Option<int> _topK = Numbers.Whole("--top-k", "Choose among the N most probable tokens; 0 for all.", 0, 0);
    private readonly Option<double> _topP = Numbers.Real("--top-p", "Choose among the fewest tokens that together have this probability.", 1, "P", "above 0 and at most 1", p => p is > 0 and <= 1);
    private readonly Option<double> _minP = Numbers.Real("--min-p", "Leave out tokens less probable than this share of the most probable one.", 0, "P", "of at least 0 and below 1", p => p is >= 0 and < 1);
    private readonly Option<double> _repetition = Numbers.Real("--repetition-penalty", "Make tokens less probable that were there already; 1 for no difference.", 1, "R", "above 0 and at most 100", p => p is > 0 and <= 100);
    private readonly Option<ulong?> _seed = Numbers.Seed("Start of the random numbers: the same seed gives the same text. Random if it is left out.");
    private readonly Option<int> _speculate = Numbers.Whole("--speculate", "Tokens that the MTP module drafts for each step; greedy text stays the same.", 0, 0, Decoding.MostDrafts);
    private readonly Option<string[]> _stop = new("--stop")
    {
        Description = "Text that ends the answer and does not belong to it; may be given several times.",
        HelpName = "TEXT",
        DefaultValueFactory = _ => [],
    };

    public SamplingArguments(Command command, int maxTokens, double temperature)
    {
        _maxTokens = Numbers.Whole("--max-tokens", "Tokens to generate at most; the model's context may end earlier.", maxTokens, 0);
        _temperature = Numbers.Real("--temperature", "How freely tokens are chosen; 0 always takes the most probable one.", temperature, "T", "from 0 to 100", t => t is >= 0 and <= 100);
        foreach (var option in (Option[])[_maxTokens, _temperature, _topK, _topP, _minP, _repetition, _seed, _speculate, _stop]) command.Options.Add(option);
    }

    /// <summary>Whether tokens are drafted.</summary>
    public bool Speculates(CommandContext context) => context.Get(_speculate) > 0;

    /// <summary>A request without its prompt.</summary>
    public GenerationRequest Read(CommandContext context) => new()
    {
        MaxTokens = context.Get(_maxTokens),
        Drafts = context.Get(_speculate),
        StopStrings = context.Get(_stop),
        Sampling = new SamplingOptions
        {
            Temperature = context.Get(_temperature),
            TopK = context.Get(_topK),
            TopP = context.Get(_topP),
            MinP = context.Get(_minP),
            RepetitionPenalty = context.Get(_repetition),
            Seed = context.Find(_seed),
        },
    };
}
