using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Server;
using Hadal.Cli.Wiring;
using Hadal.Inference.Batching;
using Hadal.Inference.Generation;
using Hadal.Model.Chat;
using Hadal.Numerics;
using Hadal.Serving.Hosting;
using Hadal.Serving.OpenAI;
using Microsoft.Extensions.DependencyInjection;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal serve</c>: a model behind OpenAI's API.</summary>
internal sealed class ServeCommand : HadalCommand
{
    private readonly Argument<string> _model = new("MODEL") { Description = ModelFolder.Description };
    private readonly Option<string> _host = new("--host") { Description = "Address to listen on; 0.0.0.0 or :: for all of this machine's, which needs --api-key-file.", HelpName = "ADDRESS", DefaultValueFactory = _ => "127.0.0.1" };
    private readonly Option<int> _port = Numbers.Whole("--port", "Port to listen on; 0 for any that is free.", 8080, 0, 65535);
    private readonly Option<string?> _keys = new("--api-key-file") { Description = "File of API keys (hadal key new), read again when it changes; without it everybody who reaches the port may ask.", HelpName = "FILE" };
    private readonly Option<string?> _name = new("--name") { Description = "What requests call the model; the name of the folder if it is left out.", HelpName = "NAME" };
    private readonly Option<string[]> _aliases = new("--alias") { Description = "A further name of the model; may be given several times.", HelpName = "NAME", DefaultValueFactory = _ => [] };
    private readonly Option<string?> _template = new("--template") { Description = $"The chat template, for a model whose own is not known: {string.Join(", ", ChatTemplate.Names)}.", HelpName = "NAME" };
    private readonly Option<int> _context = Numbers.Whole("--context", "Longest context of a request, prompt and answer, in tokens; 0 for all that the model has.", 0, 0);
    private readonly Option<int> _cacheTokens = Numbers.Whole("--cache-tokens", "Tokens that the latent cache holds over all requests; 0 for eight contexts, at most 131072.", 0, 0);
    private readonly Option<int> _sequences = Numbers.Whole("--max-sequences", "Answers generated at once at most; further requests wait.", 64, 1, 4096);
    private readonly Option<int> _waiting = Numbers.Whole("--max-waiting", "Requests that may wait; more are refused with status 503.", 1024, 0);
    private readonly Option<int> _drafts = Numbers.Whole("--speculate", "Tokens that the MTP module drafts for an answer and step at most; how many follows from how many are accepted. 0 for none.", 4, 0, Decoding.MostDrafts);
    private readonly Option<Pooling?> _embeddings = PoolingNames.Option();
    private readonly Option<string[]> _origins = new("--cors-origin") { Description = "A site whose pages may ask from a browser, for instance https://example.org; may be given several times.", HelpName = "ORIGIN", DefaultValueFactory = _ => [] };
    private readonly Option<bool> _noPage = new("--no-page") { Description = "Do not serve the page at /." };
    private readonly Option<int> _drain = Numbers.Whole("--drain", "Seconds that answers in work may go on after Ctrl-C or SIGTERM.", 30, 0, 3600);
    private readonly Option<int> _time = Numbers.Whole("--request-timeout", "Seconds that a request may take in all.", 1800, 1, 86400);
    private readonly Option<DType?> _cache = CacheNames.Option();
    private readonly LoadingArguments _loading;

    public ServeCommand()
        : base("serve", "Serve a model over HTTP to OpenAI clients, with a page to chat at /.",
            "hadal serve ~/models/DeepSeek-V2-Lite-Chat --weights int8",
            "hadal serve quickstart/model --port 9000 --context 1024",
            "hadal serve ~/models/Moonlight --host 0.0.0.0 --api-key-file keys.txt")
    {
        Arguments.Add(_model);
        foreach (var option in (Option[])[_host, _port, _keys, _name, _aliases, _template, _context, _cacheTokens, _sequences, _waiting, _drafts, _embeddings, _origins, _noPage, _drain, _time, _cache]) Options.Add(option);
        _loading = new LoadingArguments(this);
    }

    protected override async Task<int> RunAsync(CommandContext context)
    {
        var address = Address(context.Get(_host), context.Find(_keys));
        string folder = ModelFolder.Check(context.Get(_model));
        await using var application = ServerApplication.Build(options => Configure(options, folder, context), address, context.Get(_port), context.Get(_origins), context);
        string url = await ServerApplication.StartAsync(application, context.Get(_port), context.Cancellation).ConfigureAwait(false);
        context.Say($"listening on {url}; loading {folder} …");
        try
        {
            var model = await application.Services.GetRequiredService<ModelSource>().Loaded.WaitAsync(context.Cancellation).ConfigureAwait(false);
            context.Say(context.Get(_noPage) ? $"{model.Name}: API at {url}/v1" : $"{model.Name}: page at {url}/, API at {url}/v1; Ctrl-C stops");
            if (context.Json) JsonOutput.Write(context.Streams.Out, new JsonObject { ["url"] = url, ["model"] = model.Name });
            await Task.Delay(Timeout.Infinite, context.Cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.Cancellation.IsCancellationRequested)
        {
            // This is how a server ends.
        }
        finally
        {
            await application.StopAsync(CancellationToken.None).ConfigureAwait(false);
        }

        return ExitCodes.Success;
    }

    private void Configure(HadalOptions options, string folder, CommandContext context)
    {
        options.Model = folder;
        options.Name = context.Find(_name);
        foreach (string alias in context.Get(_aliases)) options.Aliases.Add(alias);
        options.Threads = _loading.Threads(context);
        options.Template = context.Find(_template);
        options.Load = _loading.Read(context, context.Get(_drafts) > 0);
        options.Engine = new EngineOptions
        {
            MostSequences = context.Get(_sequences),
            MostWaiting = context.Get(_waiting),
            ContextTokens = Or(context.Get(_context)),
            CacheTokens = Or(context.Get(_cacheTokens)),
            CacheType = context.Find(_cache),
            MostDrafts = context.Get(_drafts),
        };
        options.Embeddings = context.Find(_embeddings);
        options.Limits = new ServingLimits { MostTime = TimeSpan.FromSeconds(context.Get(_time)) };
        options.ApiKeyFile = context.Find(_keys);
        options.Page = !context.Get(_noPage);
        options.DrainTime = TimeSpan.FromSeconds(context.Get(_drain));

        static int? Or(int value) => value == 0 ? null : value;
    }

    private static IPAddress Address(string host, string? keys)
    {
        var address = host == "localhost" ? IPAddress.Loopback : IPAddress.TryParse(host, out var parsed)
            ? parsed
            : throw new MistakeException($"--host is \"{host}\", but has to be an address such as 127.0.0.1, 0.0.0.0 or ::1");
        if (IPAddress.IsLoopback(address) || keys is not null) return address;
        throw new MistakeException(
            $"{host} can be reached from other machines, so --api-key-file is needed (hadal key new NAME --file keys.txt makes one); without keys only a loopback address such as 127.0.0.1 is possible");
    }
}
