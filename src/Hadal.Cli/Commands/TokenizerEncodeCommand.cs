using System.CommandLine;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Model.Checkpoints;
using Hadal.Model.Tokenization;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal tokenizer encode</c>: texts to token ids.</summary>
internal sealed class TokenizerEncodeCommand : HadalCommand
{
    private readonly Argument<string> _tokenizer = CommonOptions.Tokenizer();
    private readonly Option<string> _in = new("--jsonl") { Description = "The texts: a line {\"text\": …} for each. Left out, one text is read from standard input as it is, and its ids are printed.", HelpName = "IN" };
    private readonly Option<string> _out = new("--out") { Description = "The file to write: a line {\"ids\": […]} for each text, in the same order.", HelpName = "OUT" };
    private readonly Option<bool> _bos = new("--bos") { Description = "Put the begin-of-sentence token before every text." };
    private readonly Option<bool> _eos = new("--eos") { Description = "Put the end-of-sentence token behind every text." };
    private readonly Option<bool> _plain = new("--plain") { Description = "Treat control tokens spelt in a text, such as <｜end▁of▁sentence｜>, as plain text." };
    private readonly Option<int> _threads = CommonOptions.Threads();

    public TokenizerEncodeCommand()
        : base("encode", "Turn texts into token ids.",
            "hadal tokenizer encode quickstart/model --jsonl texts.jsonl --out ids.jsonl", "echo \"A list is\" | hadal tokenizer encode quickstart/model")
    {
        Arguments.Add(_tokenizer);
        foreach (var option in (Option[])[_in, _out, _bos, _eos, _plain, _threads]) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        if (JsonLinesFiles.Of(context, _in, _out) is not var (input, output)) return EncodeInput(context);
        var tokenizer = Tokenizer.Load(context.Get(_tokenizer));
        var encoder = new JsonLinesEncoder(tokenizer, ReadOptions(context), context.Get(_threads));
        using (var status = new StatusLine(context.Streams))
        using (var stream = new FileStream(input, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan))
        {
            long total = Math.Max(1, stream.Length);
            var progress = new Report<long>(lines => status.Show(() => $"{Figures.Whole(lines)} texts, {100.0 * stream.Position / total:F0}% of {input}"));
            AtomicFile.Write(output, file => encoder.Encode(stream, input, file, progress, context.Cancellation));
        }

        if (context.Json) JsonOutput.Write(context.Streams.Out, new JsonObject { ["out"] = output, ["texts"] = encoder.Lines, ["tokens"] = encoder.Tokens });
        else context.Say($"{Figures.Whole(encoder.Lines)} texts, {Figures.Whole(encoder.Tokens)} tokens: {output}");
        return ExitCodes.Success;
    }

    private int EncodeInput(CommandContext context)
    {
        var tokenizer = Tokenizer.Load(context.Get(_tokenizer));
        int[] ids = tokenizer.Encode(TextInput.Read("-", context), ReadOptions(context));
        context.Streams.Out.WriteLine($"{{\"ids\":[{string.Join(',', ids)}]}}");
        return ExitCodes.Success;
    }

    private EncodeOptions ReadOptions(CommandContext context) => new()
    {
        AddBos = context.Get(_bos),
        AddEos = context.Get(_eos),
        AddedTokens = context.Get(_plain) ? AddedTokenRecognition.None : AddedTokenRecognition.All,
    };
}
