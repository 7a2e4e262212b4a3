using System.Text.Json;
using Hadal.Data.Pipeline;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Work;
using Hadal.Data.Shards;
using Hadal.Model.Tokenization;

namespace Hadal.Data.Tests.Pipeline;

public sealed class TokenStagesTests : IDisposable
{
    private const int RowTokens = 64;
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, (string Text, string Language)> _texts = [];
    private readonly Tokenizer _tokenizer;

    public TokenStagesTests()
    {
        var random = new Random(7);
        for (int i = 0; i < 120; i++)
        {
            string word = string.Concat(Enumerable.Range(0, 4).Select(_ => (char)('a' + random.Next(26))));
            string text = $"Document {i} of {word}.\n" + string.Join(' ', Enumerable.Range(0, random.Next(3, i % 10 == 0 ? 150 : 30)).Select(_ => random.Next(1000).ToString(System.Globalization.CultureInfo.InvariantCulture)));
            _texts.Add($"d{i}", (text, i % 3 == 0 ? "code:python" : "en"));
        }

        _folder.Write("a.jsonl", string.Concat(_texts.Select(t => JsonSerializer.Serialize(new { id = t.Key, text = t.Value.Text, lang = t.Value.Language }) + "\n")));
        var trained = BpeTrainer.Train(_texts.Values.Select(t => t.Text),
            new BpeTrainerOptions { VocabularySize = 400, AddedTokens = DeepSeekTokens.FimAndChat }, TestContext.Current.CancellationToken);
        trained.Save(_folder.File("tokenizer.json"));
        _tokenizer = Tokenizer.Load(_folder.File("tokenizer.json"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rows_hold_every_document_once_and_none_is_cut_that_fits()
    {
        using var shards = Build("out", Recipe());
        var documents = Pieces(shards);
        Assert.Equal(_texts.Count, documents.Count);
        Assert.Contains(documents.Values, d => d.Count > 1);
        foreach (var ((document, _), pieces) in documents)
        {
            int[] ids = [.. pieces.OrderBy(p => p.Offset).SelectMany(p => p.Ids)];
            Assert.Equal(_tokenizer.EosId, ids[^1]);
            Assert.Equal(_texts[shards.Document(document).Id].Text, _tokenizer.Decode(ids.AsSpan(..^1)));
            Assert.Equal((ids.Length + RowTokens - 1) / RowTokens, pieces.Count);
        }

        Assert.Equal(["code", "en"], shards.Groups.Select(g => g.Name));
    }

    [Fact]
    public void Epochs_repeat_documents_and_a_fraction_repeats_some_of_them()
    {
        using var shards = Build("out", Recipe(t => t with { Mixture = new() { Epochs = new Dictionary<string, double> { ["code"] = 2.5, ["en"] = 0 } } }));
        var copies = Pieces(shards).Keys.GroupBy(k => k.Document).ToDictionary(g => g.Key, g => g.Select(k => k.Epoch).Order().ToArray());
        Assert.Equal(40, copies.Count);
        Assert.All(copies.Values, epochs => Assert.Equal(Enumerable.Range(0, epochs.Length), epochs));
        Assert.Equal([2, 3], copies.Values.Select(e => e.Length).Distinct().Order());
        Assert.InRange(copies.Values.Count(e => e.Length == 3), 10, 30);
    }

    [Fact]
    public void Shares_are_those_of_the_tokens()
    {
        using var shards = Build("out", Recipe(t => t with { Mixture = new() { Shares = new Dictionary<string, double> { ["code"] = 1, ["en"] = 1 }, MaximumEpochs = 2 } }));
        long code = shards.Groups.Single(g => g.Name == "code").Tokens, en = shards.Groups.Single(g => g.Name == "en").Tokens;

        // 80 draws decide about the documents' last repetition: two standard deviations of their tokens.
        Assert.InRange((double)code / en, 0.75, 1.3);
    }

    [Fact]
    public void A_document_in_prefix_suffix_middle_order_has_all_of_its_text()
    {
        using var shards = Build("out", Recipe(t => t with { FimRate = 1 }));
        int begin = _tokenizer.IdOf(DeepSeekTokens.FimBegin)!.Value, hole = _tokenizer.IdOf(DeepSeekTokens.FimHole)!.Value, end = _tokenizer.IdOf(DeepSeekTokens.FimEnd)!.Value;
        foreach (var ((document, _), pieces) in Pieces(shards))
        {
            int[] ids = [.. pieces.OrderBy(p => p.Offset).SelectMany(p => p.Ids)];
            int h = Array.IndexOf(ids, hole), e = Array.IndexOf(ids, end);
            Assert.Equal(begin, ids[0]);
            Assert.Equal(_texts[shards.Document(document).Id].Text, _tokenizer.Decode(ids.AsSpan(1..h)) + _tokenizer.Decode(ids.AsSpan((e + 1)..^1)) + _tokenizer.Decode(ids.AsSpan((h + 1)..e)));
        }
    }

    [Fact]
    public void Validation_documents_are_in_no_other_group()
    {
        using var shards = Build("out", Recipe(t => t with { ValidationShare = 0.2, FimRate = 0.5, Mixture = new() { Epochs = new Dictionary<string, double> { ["en"] = 3 } } }));
        var groups = new Dictionary<long, HashSet<string>>();
        long row = 0;
        foreach (var group in shards.Groups)
        {
            for (long i = 0; i < group.Rows; i++, row++)
            {
                foreach (var piece in shards.Pieces(row)) (groups.TryGetValue(piece.Document, out var seen) ? seen : groups[piece.Document] = []).Add(group.Name);
            }
        }

        Assert.All(groups.Values, g => Assert.Single(g));
        Assert.InRange(groups.Values.Count(g => g.Contains(ShardGroup.ValidationName)), 10, 40);
    }

    [Fact]
    public void Workers_change_no_byte_of_a_shard()
    {
        var recipe = Recipe(t => t with { FimRate = 0.3, PunctuationNewlineSplitRate = 0.5, ValidationShare = 0.1, ShardBytes = 4096 });
        Build("one", recipe).Dispose();
        Build("three", recipe, 3).Dispose();
        string[] files = [.. Directory.GetFiles(_folder.File("one", "shards")).Select(Path.GetFileName)!];
        Assert.True(files.Length > 8);
        foreach (string file in files) Assert.Equal(File.ReadAllBytes(_folder.File("one", "shards", file)), File.ReadAllBytes(_folder.File("three", "shards", file)));
    }

    [Fact]
    public void A_group_that_no_document_has_is_named()
    {
        var e = Assert.Throws<DataException>(() => Build("out", Recipe(t => t with { Mixture = new() { Epochs = new Dictionary<string, double> { ["fr"] = 2 } } })));
        Assert.Contains("\"fr\"", e.Message, StringComparison.Ordinal);
        Assert.Contains("code, en", e.Message, StringComparison.Ordinal);
    }

    private static Dictionary<(long Document, int Epoch), List<(int Offset, int[] Ids)>> Pieces(TokenShards shards)
    {
        var documents = new Dictionary<(long, int), List<(int, int[])>>();
        int[] row = new int[shards.RowTokens];
        for (long r = 0; r < shards.Rows; r++)
        {
            shards.Read(r, row);
            foreach (var piece in shards.Pieces(r))
            {
                if (!documents.TryGetValue((piece.Document, piece.Epoch), out var pieces)) documents[(piece.Document, piece.Epoch)] = pieces = [];
                pieces.Add((piece.Offset, row[piece.Start..(piece.Start + piece.Length)]));
            }
        }

        return documents;
    }

    private DataRecipe Recipe(Func<TokenRecipe, TokenRecipe>? change = null)
    {
        var tokens = new TokenRecipe { Tokenizer = _folder.File("tokenizer.json"), RowTokens = RowTokens, FimRate = 0, PunctuationNewlineSplitRate = 0 };
        return new() { Inputs = [new InputRecipe { Path = _folder.File("a.jsonl") }], PartBytes = 2048, Deduplicate = new() { Exact = false, Near = false }, Tokens = change?.Invoke(tokens) ?? tokens };
    }

    private TokenShards Build(string name, DataRecipe recipe, int workers = 1)
    {
        new DataBuild(recipe, _folder.File(name)).Run(workers, WorkShare.All, 0, null, TestContext.Current.CancellationToken);
        return TokenShards.Open(_folder.File(name, "shards"));
    }
}
