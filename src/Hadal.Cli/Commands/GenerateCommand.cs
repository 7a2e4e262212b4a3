using System.CommandLine;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Inference.Experts;
using Hadal.Inference.Generation;
using Hadal.Model.Tokenization;
using Hadal.Numerics;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal generate</c>: continues a text.</summary>
internal sealed class GenerateCommand : HadalCommand
{
    private readonly Argument<string> _model = new("MODEL") { Description = ModelFolder.Description };
    private readonly Option<string?> _prompt = new("--prompt") { Description = "The text to continue.", HelpName = "TEXT" };
    private readonly Option<string?> _file = new("--file") { Description = "A file with the text to continue; - for standard input.", HelpName = "FILE" };
    private readonly Option<DType?> _cache = CacheNames.Option();
    private readonly SamplingArguments _sampling;
    private readonly LoadingArguments _loading;

    public GenerateCommand()
        : base("generate", "Continue a text.",
            "hadal generate quickstart/model --prompt \"Returns the number of\"",
            "hadal generate quickstart/model --prompt \"A list is\" --temperature 0.8 --top-p 0.95 --seed 1",
            "hadal generate ~/models/DeepSeek-V2-Lite --file question.txt --weights int8 --max-tokens 500 --json",
            "hadal generate ~/models/DeepSeek-V3 --prompt \"The sea\" --memory 100G")
    {
        Arguments.Add(_model);
        Options.Add(_prompt);
        Options.Add(_file);
        _sampling = new SamplingArguments(this, maxTokens: 256, temperature: 0);
        Options.Add(_cache);
        _loading = new LoadingArguments(this);
    }

    protected override int Run(CommandContext context)
    {
        string prompt = ReadPrompt(context);
        string folder = ModelFolder.Check(context.Get(_model));
        var tokenizer = Tokenizer.Load(folder);
        using var loaded = _loading.Load(context, folder, _sampling.Speculates(context));
        if (_sampling.Speculates(context)) loaded.Model.RequireMtp();
        using var generator = new TextGenerator(loaded.Model, tokenizer, new GeneratorOptions { CacheType = context.Find(_cache) });
        var writer = new AnswerWriter(context);
        var result = writer.Generate(generator, _sampling.Read(context) with { Prompt = prompt }, lead: prompt);
        if (result.FinishReason == FinishReason.Cancelled)
        {
            string kept = context.Json ? "nothing was printed" : "the text so far stands above";
            throw new StoppedException($"Stopped after {result.Tokens.Count} tokens; {kept}.", context.Cancellation);
        }

        if (context.Json) JsonOutput.Write(context.Streams.Out, ToJson(result, loaded.Model.ExpertStatistics));
        else context.Say(AnswerWriter.Summary(result, loaded.Model.ExpertStatistics));
        return ExitCodes.Success;
    }

    private string ReadPrompt(CommandContext context) => (context.Find(_prompt), context.Find(_file)) switch
    {
        ({ } text, null) => text,
        (null, { } path) => TextInput.Read(path, context),
        (null, null) => throw new MistakeException("There is no text to continue; give one with --prompt TEXT, --file FILE, or --file - for standard input"),
        _ => throw new MistakeException("Both --prompt and --file are given; the text to continue can come from one of them only"),
    };

    private static JsonObject ToJson(GenerationResult result, ExpertStatistics? experts) => new()
    {
        ["text"] = result.Text,
        ["tokens"] = JsonOutput.Array(result.Tokens),
        ["prompt_tokens"] = result.PromptTokens,
        ["tokens_per_second"] = JsonOutput.Number(result.TokensPerSecond),
        ["prefill_tokens_per_second"] = JsonOutput.Number(result.PrefillTokensPerSecond),
        ["acceptance_rate"] = JsonOutput.Number(result.AcceptanceRate),
        ["finish_reason"] = result.FinishReason == FinishReason.Stop ? "stop" : "length",
        ["seed"] = result.Seed,
        ["experts"] = ExpertFigures.ToJson(experts),
    };
}
