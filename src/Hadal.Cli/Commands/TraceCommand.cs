using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal trace</c>: what a model computes inside.</summary>
internal sealed class TraceCommand : HadalCommand
{
    private readonly Argument<string> _model = new("MODEL") { Description = ModelFolder.Description };
    private readonly Option<string> _tokens = new("--tokens") { Description = "A file with the token ids to run over: a JSON array.", HelpName = "FILE", Required = true };
    private readonly Option<string> _out = new("--out") { Description = "The safetensors file to write.", HelpName = "FILE", Required = true };
    private readonly Option<WeightFormat?> _weights = WeightNames.Option();
    private readonly Option<int> _threads = CommonOptions.Threads();

    public TraceCommand()
        : base("trace",
            "Run a model over given tokens and write what it computes inside, at every position: hidden states, attention outputs, chosen experts and their weights, latents, rotary keys, logits.",
            "hadal trace quickstart/model --tokens ids.json --out trace.safetensors",
            "hadal trace ~/models/DeepSeek-V3 --tokens ids.json --out w8a8.safetensors --weights fp8-w8a8")
    {
        Arguments.Add(_model);
        Options.Add(_tokens);
        Options.Add(_out);
        Options.Add(_weights);
        Options.Add(_threads);
    }

    protected override int Run(CommandContext context)
    {
        int[] tokens = ReadTokens(context.Get(_tokens));
        string path = OutputFile.Check(context.Get(_out));
        using var loaded = LoadedModel.Load(context, context.Get(_model), context.Get(_threads), new LoadOptions { Weights = context.Find(_weights) });
        ModelTrace trace;
        using (var status = new StatusLine(context.Streams))
            trace = ModelTrace.Run(loaded.Model, tokens, null, new Report<int>(done => status.Show(() => $"traced {done} of {tokens.Length} tokens")), context.Cancellation);
        trace.Save(path);
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject
            {
                ["out"] = path,
                ["tokens"] = tokens.Length,
                ["tensors"] = new JsonObject(trace.Tensors.Values.Select(t => KeyValuePair.Create(t.Name, (JsonNode?)JsonOutput.Array([t.Rows, t.Columns])))),
            });
        }
        else
        {
            context.Say($"{trace.Tensors.Count} tensors over {tokens.Length} tokens: {path}");
        }

        return ExitCodes.Success;
    }

    private static int[] ReadTokens(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<int[]>(stream) ?? throw new MistakeException($"{path} holds null; it has to be a JSON array of token ids, such as [0, 17, 4]");
        }
        catch (JsonException e)
        {
            throw new MistakeException($"{path} is not a JSON array of token ids, such as [0, 17, 4] (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})", e);
        }
    }
}
