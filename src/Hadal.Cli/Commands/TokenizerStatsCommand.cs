using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Data.Sources;
using Hadal.Model.Tokenization;
using Spectre.Console;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal tokenizer stats</c>: how many bytes of text a token stands for.</summary>
internal sealed class TokenizerStatsCommand : HadalCommand
{
    private readonly Argument<string> _tokenizer = CommonOptions.Tokenizer();

    private readonly Argument<string[]> _paths = new("PATH")
    {
        Description = "Files and folders of text. Documents that say their language (a field lang or language, source files) are counted by language, others by file.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> _against = new("--against") { Description = "A second tokenizer to compare with.", HelpName = "TOKENIZER" };

    public TokenizerStatsCommand()
        : base("stats", "Count the tokens of texts, by language or file, and compare two tokenizers.",
            "hadal tokenizer stats my-tokenizer notes/ --against ~/models/DeepSeek-V3", "hadal tokenizer stats my-tokenizer mixture.jsonl.gz --json")
    {
        Arguments.Add(_tokenizer);
        Arguments.Add(_paths);
        Options.Add(_against);
    }

    protected override int Run(CommandContext context)
    {
        var problems = new Problems(context);
        var files = InputListing.Find(context.Get(_paths), null, problems);
        string? other = context.Find(_against);
        var tokenizer = Tokenizer.Load(context.Get(_tokenizer));
        var against = other is null ? null : Tokenizer.Load(other);
        var groups = new SortedDictionary<string, Tally>(StringComparer.Ordinal);
        var total = new Tally();
        List<int> ids = [];
        using (var status = new StatusLine(context.Streams))
        {
            foreach (var document in files.SelectMany(f => InputReader.Read(f, null, problems).Select(d => (Name: d.Language ?? f.Id, d.Text))))
            {
                context.Cancellation.ThrowIfCancellationRequested();
                if (!groups.TryGetValue(document.Name, out var group)) groups.Add(document.Name, group = new Tally());
                var one = new Tally { Documents = 1, Bytes = Encoding.UTF8.GetByteCount(document.Text), Tokens = Count(tokenizer, document.Text), Against = against is null ? 0 : Count(against, document.Text) };
                group.Add(one);
                total.Add(one);
                status.Show(() => $"{Figures.Whole(total.Documents)} documents, {Figures.Bytes(total.Bytes)}");
            }
        }

        problems.Tell();
        if (context.Json) JsonOutput.Write(context.Streams.Out, ToJson(context.Get(_tokenizer), other, groups, total));
        else Write(context, other is not null, groups, total);
        return ExitCodes.Success;

        // What is told here is about text, in which the names of control tokens are nothing but text.
        int Count(Tokenizer by, string text)
        {
            ids.Clear();
            by.Encode(text, ids, EncodeOptions.Untrusted);
            return ids.Count;
        }
    }

    private static JsonObject ToJson(string tokenizer, string? against, SortedDictionary<string, Tally> groups, Tally total)
    {
        var json = new JsonObject { ["tokenizer"] = tokenizer };
        if (against is not null) json["against"] = against;
        json["groups"] = new JsonArray([.. groups.Select(g => Row(g.Key, g.Value))]);
        json["total"] = Row(null, total);
        return json;

        JsonObject Row(string? name, Tally tally)
        {
            var row = new JsonObject();
            if (name is not null) row["name"] = name;
            row["documents"] = tally.Documents;
            row["bytes"] = tally.Bytes;
            row["tokens"] = tally.Tokens;
            row["bytes_per_token"] = JsonOutput.Number(tally.BytesPerToken);
            if (against is null) return row;
            row["against_tokens"] = tally.Against;
            row["against_bytes_per_token"] = JsonOutput.Number(tally.BytesPerTokenAgainst);
            return row;
        }
    }

    private static void Write(CommandContext context, bool compared, SortedDictionary<string, Tally> groups, Tally total)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("text");
        string[] columns = ["documents", "bytes", "tokens", "bytes/token", .. compared ? ["against", "bytes/token", "tokens, to the second's"] : Array.Empty<string>()];
        foreach (string column in columns) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var (name, tally) in groups) table.AddRow(Row(Markup.Escape(name), tally));
        if (groups.Count > 1) table.AddRow(Row("all", total));
        context.Out.Write(table);

        string[] Row(string name, Tally tally)
        {
            string[] row = [name, Figures.Whole(tally.Documents), Figures.Whole(tally.Bytes), Figures.Whole(tally.Tokens), Ratio(tally.BytesPerToken)];
            return compared ? [.. row, Figures.Whole(tally.Against), Ratio(tally.BytesPerTokenAgainst), Figures.Percent((double)tally.Tokens / tally.Against)] : row;
        }

        static string Ratio(double value) => double.IsFinite(value) ? value.ToString("0.000", CultureInfo.InvariantCulture) : Figures.Unknown;
    }

    private sealed class Tally
    {
        public long Documents { get; set; }

        public long Bytes { get; set; }

        public long Tokens { get; set; }

        public long Against { get; set; }

        public double BytesPerToken => (double)Bytes / Tokens;

        public double BytesPerTokenAgainst => (double)Bytes / Against;

        public void Add(Tally other)
        {
            Documents += other.Documents;
            Bytes += other.Bytes;
            Tokens += other.Tokens;
            Against += other.Against;
        }
    }

    /// <summary>Tells the first problems, and how many more there were.</summary>
    private sealed class Problems(CommandContext context) : IReadReport
    {
        private const int Told = 10;
        private long _count;

        public void Add(ReadProblem problem)
        {
            if (++_count <= Told) context.Say($"Passed over {problem}.");
        }

        public void Tell()
        {
            if (_count > Told) context.Say($"{Figures.Whole(_count - Told)} more were passed over.");
        }
    }
}
