using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Data.Shards;
using Hadal.Model.Tokenization;
using Spectre.Console;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal data show</c>: what is in a dataset of token shards, and what a row of it looks like.</summary>
internal sealed class DataShowCommand : HadalCommand
{
    private readonly Argument<string> _folder = new("DIR") { Description = "The folder of a hadal data build that made tokens, or the folder shards in it." };
    private readonly Option<long?> _row = new("--row")
    {
        Description = "Show this row, from 0: its documents, and their text when a tokenizer is given.",
        HelpName = "N",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value)) return value;
            result.AddError($"--row is \"{text}\", but has to be a whole number of at least 0.");
            return default;
        },
    };

    private readonly Option<string> _tokenizer = new("--tokenizer") { Description = "A tokenizer.json or a folder with one: the tokenizer that the dataset was built with.", HelpName = "PATH" };
    private readonly Option<bool> _verify = new("--verify") { Description = "Read every byte and compare the checksums." };

    public DataShowCommand()
        : base("show", "Show what is in a dataset of token shards.",
            "hadal data show data/", "hadal data show data/ --row 17 --tokenizer tokenizer.json", "hadal data show data/ --verify")
    {
        Arguments.Add(_folder);
        foreach (var option in (Option[])[_row, _tokenizer, _verify]) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        string path = context.Get(_folder);
        if (!Directory.Exists(path)) throw new MistakeException($"There is no folder {path}");
        string folder = TokenShards.Locate(path) ?? throw new MistakeException($"{path} has no token shards; hadal data build makes them when its recipe has tokens");
        using var shards = TokenShards.Open(folder);
        var tokenizer = context.Find(_tokenizer) is { } name ? Load(name, shards) : null;
        if (context.Get(_verify))
        {
            using (var status = new StatusLine(context.Streams))
            {
                status.Show(() => $"reading {folder}");
                shards.Verify(context.Cancellation);
            }

            context.Say("Every file has the checksum that it was written with.");
        }

        if (context.Find(_row) is { } row) ShowRow(context, shards, row, tokenizer);
        else ShowWhole(context, shards);
        return ExitCodes.Success;
    }

    private static Tokenizer Load(string path, TokenShards shards)
    {
        var tokenizer = Tokenizer.Load(path);
        if (shards.TokenizerSha256 is { } wanted && Tokenizer.FileSha256(path) is { } found && found != wanted)
            throw new MistakeException($"The tokens of {shards.Folder} were made by another tokenizer (SHA-256 {wanted[..12]}…) than {path} ({found[..12]}…)");
        return tokenizer;
    }

    private static void ShowWhole(CommandContext context, TokenShards shards)
    {
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject
            {
                ["folder"] = shards.Folder,
                ["row_tokens"] = shards.RowTokens,
                ["rows"] = shards.Rows,
                ["tokens"] = shards.Tokens,
                ["fill"] = shards.Fill,
                ["documents"] = shards.Documents,
                ["shards"] = shards.Shards,
                ["vocabulary_size"] = shards.VocabularySize,
                ["tokenizer_sha256"] = shards.TokenizerSha256,
                ["groups"] = new JsonArray([.. shards.Groups.Select((g, i) => new JsonObject
                {
                    ["name"] = g.Name,
                    ["first_row"] = shards.FirstRow(i),
                    ["rows"] = g.Rows,
                    ["tokens"] = g.Tokens,
                    ["pieces"] = g.Pieces,
                })]),
            });
            return;
        }

        new FactSheet($"{shards.Folder}")
            .Add("rows", $"{Figures.Whole(shards.Rows)} of {Figures.Whole(shards.RowTokens)} tokens in {Figures.Whole(shards.Shards)} shards")
            .Add("tokens", $"{Figures.Whole(shards.Tokens)} in {Figures.Percent(shards.Fill)} of the places")
            .Add("documents", Figures.Whole(shards.Documents))
            .Add("tokenizer", $"{Figures.Whole(shards.VocabularySize)} tokens, SHA-256 {shards.TokenizerSha256 ?? "unknown"}")
            .Write(context);
        var table = new Table().Border(TableBorder.Simple).AddColumn("group");
        foreach (string column in (string[])["first row", "rows", "tokens", "share", "pieces of documents", "fill"]) table.AddColumn(new TableColumn(column).RightAligned());
        for (int i = 0; i < shards.Groups.Count; i++)
        {
            var g = shards.Groups[i];
            table.AddRow(
                Markup.Escape(ScreenText.Harmless(g.Name)), Figures.Whole(shards.FirstRow(i)), Figures.Whole(g.Rows), Figures.Whole(g.Tokens), Figures.Percent(g.Tokens / (double)shards.Tokens), Figures.Whole(g.Pieces),
                Figures.Percent(g.Tokens / ((double)g.Rows * shards.RowTokens)));
        }

        context.Out.Write(table);
    }

    private static void ShowRow(CommandContext context, TokenShards shards, long row, Tokenizer? tokenizer)
    {
        if (row >= shards.Rows) throw new MistakeException($"--row is {row}, but {shards.Folder} has rows 0 to {shards.Rows - 1}");
        int[] tokens = new int[shards.RowTokens];
        shards.Read(row, tokens);
        var pieces = shards.Pieces(row);
        int group = shards.Groups.Count - 1;
        while (shards.FirstRow(group) > row) group--;
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject
            {
                ["row"] = row,
                ["group"] = shards.Groups[group].Name,
                ["shard"] = shards.ShardOf(row),
                ["filled"] = shards.Filled(row),
                ["pieces"] = new JsonArray([.. pieces.Select(p => ToJson(p, shards.Document(p.Document), Ids(p), tokenizer))]),
            });
            return;
        }

        context.Streams.Out.WriteLine($"Row {row} of {ScreenText.Harmless(shards.Groups[group].Name)}, in {shards.ShardOf(row)}: {pieces.Count} pieces of documents, {shards.Filled(row)} of {shards.RowTokens} places filled.");
        foreach (var p in pieces)
        {
            var name = shards.Document(p.Document);
            string part = p.Offset == 0 ? "" : $", from its token {p.Offset} on", epoch = p.Epoch == 0 ? "" : $", repetition {p.Epoch}";
            context.Streams.Out.WriteLine($"-- places {p.Start} to {p.Start + p.Length - 1}: document {p.Document}, {ScreenText.Harmless(name.Id)} ({ScreenText.Harmless(name.Source)}){part}{epoch}");
            int[] ids = Ids(p);
            context.Streams.Out.WriteLine(tokenizer is null ? string.Join(' ', ids) : ScreenText.Harmless(tokenizer.Decode(ids)));
        }

        int[] Ids(RowPiece piece) => tokens[piece.Start..(piece.Start + piece.Length)];
    }

    private static JsonObject ToJson(RowPiece piece, DocumentName name, int[] ids, Tokenizer? tokenizer)
    {
        var json = new JsonObject
        {
            ["document"] = piece.Document,
            ["id"] = name.Id,
            ["source"] = name.Source,
            ["epoch"] = piece.Epoch,
            ["offset"] = piece.Offset,
            ["start"] = piece.Start,
            ["length"] = piece.Length,
            ["ids"] = JsonOutput.Array(ids),
        };
        if (tokenizer is not null) json["text"] = tokenizer.Decode(ids);
        return json;
    }
}
