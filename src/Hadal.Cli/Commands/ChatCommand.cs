using System.CommandLine;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Inference;
using Hadal.Inference.Generation;
using Hadal.Inference.Weights;
using Hadal.Model.Chat;
using Hadal.Model.Tokenization;
using Hadal.Numerics;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal chat</c>: a conversation.</summary>
internal sealed class ChatCommand : HadalCommand
{
    private readonly Argument<string> _model = new("MODEL") { Description = "A Hugging Face folder or a .gguf file of a model with a chat template." };
    private readonly Option<string?> _system = new("--system") { Description = "What the model is told before the conversation.", HelpName = "TEXT" };
    private readonly Option<string?> _template = new("--template")
    {
        Description = $"How the conversation is written for the model: {string.Join(", ", ChatTemplate.Names)}; left out: as the model's own template has it.",
        HelpName = "NAME",
    };

    private readonly Option<bool> _thinking = new("--thinking") { Description = "Let a model that can do either think before it answers (DeepSeek-V3.1); on a screen the thoughts are paler than the answer." };
    private readonly Option<DType?> _cache = CacheNames.Option();
    private readonly SamplingArguments _sampling;
    private readonly LoadingArguments _loading;

    public ChatCommand()
        : base("chat", "Talk with a model. /new starts over, /exit ends, Ctrl-C ends an answer.",
            "hadal chat ~/models/DeepSeek-V2-Lite-Chat --weights int8",
            "hadal chat ~/models/Moonlight --system \"Answer in one sentence.\" --temperature 0",
            "echo \"What is a monad?\" | hadal chat ~/models/DeepSeek-V3 --json")
    {
        Arguments.Add(_model);
        Options.Add(_system);
        Options.Add(_template);
        Options.Add(_thinking);
        _sampling = new SamplingArguments(this, maxTokens: 2048, temperature: 0.6);
        Options.Add(_cache);
        _loading = new LoadingArguments(this);
    }

    protected override async Task<int> RunAsync(CommandContext context)
    {
        string folder = ModelFolder.Check(context.Get(_model));
        var tokenizer = Tokenizer.Load(folder);
        var template = ChatTemplate.For(tokenizer, context.Find(_template));
        bool thinking = context.Get(_thinking);
        if (thinking && !template.CanSwitchThinking) throw new MistakeException($"--thinking is for models that can do either; with the template {template.Name} the model {(template.Reasoning is null ? "does not think" : "always thinks")}");
        using var loaded = _loading.Load(context, folder, _sampling.Speculates(context));
        if (_sampling.Speculates(context)) loaded.Model.RequireMtp();
        using var generator = new TextGenerator(loaded.Model, tokenizer, new GeneratorOptions { CacheType = context.Find(_cache) });
        var conversation = new Conversation(generator, tokenizer, template, _sampling.Read(context), context.Find(_system), thinking ? true : null);
        bool screen = context.Streams is { InIsTerminal: true, ErrorIsTerminal: true };
        if (screen) context.Say("/new starts over, /exit ends, Ctrl-C ends an answer.");
        while (await ReadAsync(context, screen).ConfigureAwait(false) is { } line)
        {
            if (line.Trim() is "/exit" or "/quit") break;
            if (line.Trim() == "/new") conversation.Clear();
            else if (line.Trim().Length > 0) Answer(context, conversation, line, screen, loaded.Model);
        }

        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject
            {
                ["messages"] = new JsonArray([.. conversation.Messages.Select(Json)]),
                ["experts"] = ExpertFigures.ToJson(loaded.Model.ExpertStatistics),
            });
        }

        return ExitCodes.Success;
    }

    private static JsonObject Json(ChatMessage message)
    {
        var json = new JsonObject { ["role"] = message.Role, ["content"] = message.Content };
        if (message.Reasoning is { } reasoning) json["reasoning"] = reasoning;
        return json;
    }

    private static void Answer(CommandContext context, Conversation conversation, string line, bool screen, InferenceModel model)
    {
        using var interruption = context.Streams.Signals?.Begin();
        try
        {
            var result = conversation.Say(
                line, (request, parser) => new AnswerWriter(context).Generate(conversation.Generator, request, parser: parser, cancellation: interruption?.Token));
            context.Cancellation.ThrowIfCancellationRequested();
            if (screen) context.Say(AnswerWriter.Summary(result, model.ExpertStatistics));
        }
        catch (GenerationException e) when (screen && conversation.Messages.Count > 0)
        {
            // What does not fit is taken back, so that a person can say something shorter or start over.
            context.Say($"{e.Message} (/new starts over.)");
        }
    }

    // The console cannot be asked to stop reading; the reading is left behind when the person wants to end.
    private static async Task<string?> ReadAsync(CommandContext context, bool screen)
    {
        if (screen) context.Streams.Error.Write("> ");
        try
        {
            return await Task.Run(context.Streams.In.ReadLine, context.Cancellation).WaitAsync(context.Cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new StoppedException("Stopped.", context.Cancellation);
        }
    }
}
