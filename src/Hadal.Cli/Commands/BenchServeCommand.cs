using System.CommandLine;
using System.Net;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Server;
using Hadal.Cli.Wiring;
using Hadal.Inference.Batching;
using Hadal.Serving.Hosting;
using Hadal.Serving.Load;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal bench serve</c>: what a server's readers meet under load.</summary>
internal sealed class BenchServeCommand : HadalCommand
{
    private readonly Argument<string> _target = new("URL|MODEL") { Description = "Address of a running server of OpenAI's API (HADAL_API_KEY is its key), or a model that is served for the while." };
    private readonly Option<double> _rate = Numbers.Real("--rate", "Requests per second in the mean; they arrive at random, whether or not earlier ones are answered (open loop). 0 for a closed loop.", 0, "R", "from 0 to 100000", r => r is >= 0 and <= 100_000);
    private readonly Option<int> _concurrency = Numbers.Whole("--concurrency", "Closed loop: so many clients, each of which asks again when it has its answer.", 8, 1, 100_000);
    private readonly Option<int> _requests = Numbers.Whole("--requests", "Requests in all; 0 for as many as fit into --duration, or 100 without one.", 0, 0);
    private readonly Option<double> _duration = Numbers.Real("--duration", "Seconds in which requests are sent; those under way are waited for. 0 for no limit.", 0, "S", "from 0 to 86400", s => s is >= 0 and <= 86_400);
    private readonly Option<LengthDistribution> _prompt = Lengths("--prompt-tokens", "Tokens of a prompt: N, A-B (even), or lognormal:MEAN,SIGMA.", 128);
    private readonly Option<LengthDistribution> _answer = Lengths("--answer-tokens", "Tokens of an answer, likewise.", 64);
    private readonly Option<int> _prefix = Numbers.Whole("--shared-prefix", "Tokens that prompts begin with alike, on top of --prompt-tokens.", 0, 0, 1 << 20);
    private readonly Option<int> _groups = Numbers.Whole("--prefix-groups", "Different such beginnings.", 1, 1, 100_000);
    private readonly Option<double> _cancel = Share("--cancel-share", "Share of requests that are given up in the middle of the answer.");
    private readonly Option<double> _slow = Share("--slow-readers", "Share of readers that pause after every piece; they are left out of the percentiles.");
    private readonly Option<int> _slowDelay = Numbers.Whole("--slow-delay", "Milliseconds that they pause.", 200, 1, 60_000);
    private readonly Option<double> _temperature = Numbers.Real("--temperature", "Temperature of the answers; 0 for greedy.", 0, "T", "from 0 to 2", t => t is >= 0 and <= 2);
    private readonly Option<double> _sloFirst = Numbers.Real("--slo-ttft", "For goodput: most milliseconds to the first token; 0 for no limit.", 0, "MS", "of at least 0", s => s >= 0);
    private readonly Option<double> _sloToken = Numbers.Real("--slo-tpot", "For goodput: most milliseconds per token behind the first; 0 for no limit.", 0, "MS", "of at least 0", s => s >= 0);
    private readonly Option<int> _seed = Numbers.Whole("--seed", "Start of the random numbers; the same seed asks the same.", 1, 0);
    private readonly Option<string?> _model = new("--model") { Description = "Which of the server's models; its first if it is left out.", HelpName = "NAME" };
    private readonly Option<int> _sequences = Numbers.Whole("--max-sequences", "With MODEL: answers generated at once at most.", 64, 1, 4096);
    private readonly LoadingArguments _loading;

    public BenchServeCommand()
        : base("serve", "Measure what a server's readers meet under load: time to the first token (TTFT), time per token (TPOT), between tokens, goodput. --json gives the same, times in seconds.",
            "hadal bench serve http://127.0.0.1:8080 --rate 4 --duration 60 --slo-ttft 1000 --slo-tpot 100",
            "hadal bench serve ~/models/Moonlight --concurrency 16 --requests 200 --prompt-tokens lognormal:400,0.8 --answer-tokens 16-256",
            "hadal bench serve http://127.0.0.1:8080/v1 --rate 2 --requests 100 --shared-prefix 2000 --prefix-groups 4 --cancel-share 0.1 --json")
    {
        Arguments.Add(_target);
        foreach (var option in (Option[])[_rate, _concurrency, _requests, _duration, _prompt, _answer, _prefix, _groups, _cancel, _slow, _slowDelay, _temperature, _sloFirst, _sloToken, _seed, _model, _sequences]) Options.Add(option);
        _loading = new LoadingArguments(this);
    }

    protected override async Task<int> RunAsync(CommandContext context)
    {
        var plan = Plan(context);
        string target = context.Get(_target);
        if (target.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || target.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            if (!Uri.TryCreate(target, UriKind.Absolute, out var url)) throw new MistakeException($"\"{target}\" is no address of a server; expected for instance http://127.0.0.1:8080");
            return await MeasureAsync(context, plan, url).ConfigureAwait(false);
        }

        var application = ServerApplication.Build(options => Configure(options, ModelFolder.Check(target), context), IPAddress.Loopback, 0, [], context);
        await using (application.ConfigureAwait(false))
        {
            try
            {
                string own = await StartAsync(application, target, context).ConfigureAwait(false);
                return await MeasureAsync(context, plan, new Uri(own)).ConfigureAwait(false);
            }
            finally
            {
                await application.StopAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private LoadPlan Plan(CommandContext context)
    {
        double duration = context.Get(_duration);
        int requests = context.Get(_requests);
        return new LoadPlan
        {
            Rate = context.Get(_rate) is > 0 and var rate ? rate : null,
            Concurrency = context.Get(_concurrency),
            Requests = requests > 0 ? requests : duration > 0 ? null : 100,
            Duration = duration > 0 ? TimeSpan.FromSeconds(duration) : null,
            PromptTokens = context.Get(_prompt),
            AnswerTokens = context.Get(_answer),
            SharedPrefixTokens = context.Get(_prefix),
            PrefixGroups = context.Get(_groups),
            CancelShare = context.Get(_cancel),
            SlowShare = context.Get(_slow),
            SlowDelay = TimeSpan.FromMilliseconds(context.Get(_slowDelay)),
            Temperature = context.Get(_temperature),
            Seed = context.Get(_seed),
        };
    }

    private void Configure(HadalOptions options, string folder, CommandContext context)
    {
        (options.Model, options.Page, options.DrainTime) = (folder, false, TimeSpan.Zero);
        options.Threads = _loading.Threads(context);
        options.Load = _loading.Read(context, true);
        options.Engine = new EngineOptions { MostSequences = context.Get(_sequences) };
    }

    private static async Task<string> StartAsync(WebApplication application, string model, CommandContext context)
    {
        string url = await ServerApplication.StartAsync(application, 0, context.Cancellation).ConfigureAwait(false);
        context.Say($"serving {model} at {url} …");
        var source = application.Services.GetRequiredService<ModelSource>();
        await source.Loaded.WaitAsync(context.Cancellation).ConfigureAwait(false);
        while (!source.IsReady) await Task.Delay(50, context.Cancellation).ConfigureAwait(false);
        return url;
    }

    private async Task<int> MeasureAsync(CommandContext context, LoadPlan plan, Uri url)
    {
        try
        {
            string? key = Environment.GetEnvironmentVariable("HADAL_API_KEY") is { Length: > 0 } value ? value : null;
            using var generator = await LoadGenerator.ConnectAsync(url, context.Find(_model), key, context.Cancellation).ConfigureAwait(false);
            if (!generator.HasTokens) context.Say("The server has no /tokenize, so words stand for the tokens of prompts.");
            LoadReport report;
            using (var status = new StatusLine(context.Streams))
            {
                var progress = new Report<LoadProgress>(p => status.Show(() => $"{p.Seconds:0} s: {p.Sent} sent, {p.Ended} ended, {p.Failed} failed, {p.Sent - p.Ended} under way, {Figures.Rate(p.Pieces / p.Seconds, "pieces")}"));
                report = await generator.RunAsync(plan, progress, context.Cancellation).ConfigureAwait(false);
            }

            double? first = Limit(context.Get(_sloFirst)), token = Limit(context.Get(_sloToken));
            if (context.Json) JsonOutput.Write(context.Streams.Out, LoadDrawing.ToJson(generator.Model, plan, report, first, token));
            else LoadDrawing.Draw(context, generator.Model, plan, report, first, token);
            return context.Cancellation.IsCancellationRequested ? ExitCodes.Stopped : report.Requests.Count > 0 && report.Count(LoadOutcome.Failed) == report.Requests.Count ? ExitCodes.Mistake : ExitCodes.Success;
        }
        catch (LoadException e)
        {
            throw new MistakeException(e.Message.TrimEnd('.'), e);
        }

        static double? Limit(double milliseconds) => milliseconds > 0 ? milliseconds / 1000 : null;
    }

    private static Option<double> Share(string name, string description) => Numbers.Real(name, description, 0, "SHARE", "from 0 to 1", s => s is >= 0 and <= 1);

    private static Option<LengthDistribution> Lengths(string name, string description, int ordinary) => new(name)
    {
        Description = description,
        HelpName = "LENGTHS",
        DefaultValueFactory = _ => LengthDistribution.Fixed(ordinary),
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (LengthDistribution.Parse(text) is { } lengths) return lengths;
            result.AddError($"{name} is \"{text}\", but has to be a number of tokens such as 128, a range such as 16-256, or lognormal:MEAN,SIGMA such as lognormal:400,0.8.");
            return LengthDistribution.Fixed(ordinary);
        },
    };
}
