using System.CommandLine;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Model.Tokenization;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal tokenizer train</c>: a vocabulary for a text.</summary>
internal sealed class TokenizerTrainCommand : HadalCommand
{
    private readonly Argument<string[]> _paths = new("PATH")
    {
        Description = $"Files and folders of text (.txt, .md, .jsonl, .jsonl.gz), or {TrainingText.DotnetDocumentationName} for the documentation that the .NET SDK brings along.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<int> _vocabulary = Numbers.RequiredWhole("--vocab", "Size of the vocabulary: 3 control tokens, 256 bytes, and what is merged.", 259, 10_000_000);
    private readonly Option<string> _out = new("--out") { Description = "The tokenizer.json to write, or a folder for it. A tokenizer_config.json is written beside it.", HelpName = "FILE", Required = true };

    private readonly Option<int> _threads = Numbers.Whole("--threads", "Threads that cut and count; 0 for one per processor. The result is the same.", 0, 0, 1024);
    private readonly Option<long?> _memory = Numbers.Bytes("--memory", "Memory that training may take, about; three quarters of what there is if left out. A text with too many different pieces is refused.");

    private readonly Option<bool> _fimAndChat = new("--fim-and-chat") { Description = "Also DeepSeek's tokens for fill in the middle and for chat, the last ids of the vocabulary." };

    public TokenizerTrainCommand()
        : base("train", "Make a tokenizer for a text: byte-level BPE, cut as DeepSeek-V3 does it.",
            "hadal tokenizer train --vocab 4096 --out my-tokenizer notes/ book.txt",
            "hadal tokenizer train --vocab 32768 --fim-and-chat --out tokenizer corpus.jsonl",
            "hadal tokenizer train --vocab 8192 --out tokenizer.json dotnet-documentation")
    {
        Arguments.Add(_paths);
        Options.Add(_vocabulary);
        Options.Add(_out);
        Options.Add(_threads);
        Options.Add(_memory);
        Options.Add(_fimAndChat);
    }

    protected override int Run(CommandContext context)
    {
        var sources = TrainingText.Open(context.Get(_paths), Environment.CurrentDirectory);
        string path = context.Get(_out);
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)) OutputFile.Check(path);
        TrainedTokenizer trained;
        using (var status = new StatusLine(context.Streams))
        {
            long documents = 0;
            var texts = sources.SelectMany(s => s.Read(context.Say)).Select(d =>
            {
                documents++;
                status.Show(() => $"reading: {Figures.Whole(documents)} documents");
                return d.Text;
            });
            var options = new BpeTrainerOptions
            {
                VocabularySize = context.Get(_vocabulary),
                Threads = context.Get(_threads),
                MemoryBytes = context.Find(_memory) ?? 0,
                AddedTokens = context.Get(_fimAndChat) ? DeepSeekTokens.FimAndChat : [],
            };
            trained = BpeTrainer.Train(texts, options, context.Cancellation);
        }

        trained.Save(path);
        if (trained.VocabularySize < trained.WantedSize)
            context.Say($"The text has no more pairs that occur twice: the vocabulary stays at {trained.VocabularySize} instead of {trained.WantedSize}.");
        if (context.Json) JsonOutput.Write(context.Streams.Out, new JsonObject { ["out"] = path, ["vocabulary"] = trained.VocabularySize });
        else context.Say($"A vocabulary of {Figures.Whole(trained.VocabularySize)} tokens: {path}");
        return ExitCodes.Success;
    }
}
