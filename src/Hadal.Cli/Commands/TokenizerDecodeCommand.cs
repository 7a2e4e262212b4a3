using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Model.Checkpoints;
using Hadal.Model.Tokenization;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal tokenizer decode</c>: token ids to texts.</summary>
internal sealed class TokenizerDecodeCommand : HadalCommand
{
    private static readonly JsonSerializerOptions _line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Argument<string> _tokenizer = CommonOptions.Tokenizer();
    private readonly Option<string> _in = new("--jsonl") { Description = "The ids: a line {\"ids\": […]} for each text. Left out, ids are read from standard input and their text is printed as it is.", HelpName = "IN" };
    private readonly Option<string> _out = new("--out") { Description = "The file to write: a line {\"text\": …} for each, in the same order.", HelpName = "OUT" };
    private readonly Option<bool> _skip = new("--skip-special") { Description = "Leave control tokens such as <｜end▁of▁sentence｜> out." };

    public TokenizerDecodeCommand()
        : base("decode", "Turn token ids back into texts.",
            "hadal tokenizer decode quickstart/model --jsonl ids.jsonl --out texts.jsonl", "echo 18 502 7 | hadal tokenizer decode quickstart/model")
    {
        Arguments.Add(_tokenizer);
        foreach (var option in (Option[])[_in, _out, _skip]) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        if (JsonLinesFiles.Of(context, _in, _out) is not var (input, output)) return DecodeInput(context);
        var tokenizer = Tokenizer.Load(context.Get(_tokenizer));
        long texts = 0, tokens = 0;
        using (var status = new StatusLine(context.Streams))
        using (var reader = new StreamReader(input))
        {
            AtomicFile.Write(output, file =>
            {
                List<int> ids = [];
                while (reader.ReadLine() is { } line)
                {
                    context.Cancellation.ThrowIfCancellationRequested();
                    ids.Clear();
                    TokenIdText.Read(line, string.Create(CultureInfo.InvariantCulture, $"{input}: line {texts + 1}"), ids);
                    file.Write(Encoding.UTF8.GetBytes($"{{\"text\":{JsonSerializer.Serialize(Decode(tokenizer, ids, context), _line)}}}\n"));
                    tokens += ids.Count;
                    texts++;
                    status.Show(() => $"{Figures.Whole(texts)} texts");
                }
            });
        }

        if (context.Json) JsonOutput.Write(context.Streams.Out, new JsonObject { ["out"] = output, ["texts"] = texts, ["tokens"] = tokens });
        else context.Say($"{Figures.Whole(texts)} texts, {Figures.Whole(tokens)} tokens: {output}");
        return ExitCodes.Success;
    }

    private int DecodeInput(CommandContext context)
    {
        var tokenizer = Tokenizer.Load(context.Get(_tokenizer));
        List<int> ids = [];
        foreach (string line in TextInput.Read("-", context).Split('\n')) TokenIdText.Read(line, "Standard input", ids);
        string text = Decode(tokenizer, ids, context);
        if (context.Json) JsonOutput.Write(context.Streams.Out, new JsonObject { ["text"] = text });
        else context.Streams.Out.Write(context.Streams.OutIsTerminal ? text + "\n" : text);
        return ExitCodes.Success;
    }

    private string Decode(Tokenizer tokenizer, List<int> ids, CommandContext context) =>
        tokenizer.Decode(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ids), context.Get(_skip));
}
