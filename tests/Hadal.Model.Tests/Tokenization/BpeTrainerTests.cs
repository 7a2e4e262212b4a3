using System.Text;
using System.Text.Json;
using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

public class BpeTrainerTests
{
    private static readonly string[] _corpus =
    [
        "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.\n",
        "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n",
        "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。天地玄黄，宇宙洪荒。",
        "aaaaaaaaaaaaaaa aaaaaaa aaa abababababab 1234 12345 😀😀😀 😀😀",
    ];

    [Fact]
    public void The_merges_are_those_of_the_definition()
    {
        // Few letters and short documents make ties, runs and pairs whose bytes are a token already frequent.
        Gen.OneOf("a", "b", "ab", "aa", " ", "c", "é", "😀").Array[1, 40].Select(static parts => string.Concat(parts)).Array[1, 4]
            .Sample(static documents =>
            {
                TrainedTokenizer trained = Train(documents, new BpeTrainerOptions { VocabularySize = 275 });
                Assert.Equal(ByDefinition(documents, 275 - 259, 2), MergesOf(trained));
            }, iter: 300);
        Assert.Equal(ByDefinition(_corpus, 120, 2), MergesOf(Train(_corpus, new BpeTrainerOptions { VocabularySize = 259 + 120 })));
    }

    [Fact]
    public void The_layout_is_that_of_DeepSeek_V3()
    {
        Tokenizer tokenizer = Train(_corpus, new BpeTrainerOptions { VocabularySize = 300, AddedTokens = DeepSeekTokens.FimAndChat }).Tokenizer;
        Assert.Equal(300, tokenizer.VocabularySize);
        Assert.Equal((0, 1, 2), (tokenizer.BosId, tokenizer.EosId, tokenizer.PadId));
        for (int id = 0; id < 259; id++)
        {
            Assert.Equal(TokenizerData.V3.TokenName(id), tokenizer.TokenName(id));
            Assert.Equal(TokenizerData.V3.IsSpecial(id), tokenizer.IsSpecial(id));
        }

        Assert.Equal([295, 296, 297, 298, 299], DeepSeekTokens.FimAndChat.Select(t => tokenizer.IdOf(t)!.Value));
        Assert.False(tokenizer.IsSpecial(299));
        Assert.True(tokenizer.UsesDeepSeekV3Scanner);
        Assert.Equal([298, .. tokenizer.Encode("it was")], tokenizer.Encode("<｜User｜>it was"));
    }

    [Fact]
    public void The_order_of_documents_makes_no_difference()
    {
        BpeTrainerOptions options = new() { VocabularySize = 400 };
        using TemporaryFolder folder = new();
        Train(_corpus, options).Save(folder.File("a"));
        Train(_corpus.Reverse(), options).Save(folder.File("b"));
        Assert.Equal(File.ReadAllBytes(folder.File("a", "tokenizer.json")), File.ReadAllBytes(folder.File("b", "tokenizer.json")));
    }

    [Fact]
    public void The_number_of_threads_makes_no_difference()
    {
        // Several batches, and more distinct pieces than a thread keeps for itself.
        Random random = new(3);
        string[] corpus = [.. Enumerable.Range(0, 400).Select(_ => string.Concat(Enumerable.Range(0, 500).Select(_ => $" {(char)('a' + random.Next(26))}{random.Next(40):x}{(char)('a' + random.Next(26))}z中文{(char)('a' + random.Next(26))}")))];
        using TemporaryFolder folder = new();
        foreach (int threads in (ReadOnlySpan<int>)[1, 2, 5])
            Train(corpus, new BpeTrainerOptions { VocabularySize = 500, Threads = threads }).Save(folder.File($"{threads}"));
        byte[] one = File.ReadAllBytes(folder.File("1", "tokenizer.json"));
        Assert.Equal(one, File.ReadAllBytes(folder.File("2", "tokenizer.json")));
        Assert.Equal(one, File.ReadAllBytes(folder.File("5", "tokenizer.json")));
    }

    [Fact]
    public void Too_many_distinct_pieces_for_the_memory_allowed_are_refused_whatever_the_threads()
    {
        string[] corpus = [.. Enumerable.Range(0, 2_000).Select(static i => $"word{(char)('a' + i % 26)}{(char)('a' + i / 26 % 26)}{(char)('a' + i / 676)}")];
        foreach (int threads in (ReadOnlySpan<int>)[1, 3])
        {
            Assert.Contains("need more than the 100000 bytes", Assert.Throws<TokenizerException>(
                () => Train(corpus, new BpeTrainerOptions { VocabularySize = 300, Threads = threads, MemoryBytes = 100_000 })).Message, StringComparison.Ordinal);
            Assert.Equal(300, Train(corpus, new BpeTrainerOptions { VocabularySize = 300, Threads = threads, MemoryBytes = 10_000_000 }).VocabularySize);
        }
    }

    [Fact]
    public void The_written_files_load_with_identical_results()
    {
        using TemporaryFolder folder = new();
        TrainedTokenizer trained = Train(_corpus, new BpeTrainerOptions { VocabularySize = 380, AddedTokens = ["<｜User｜>"] });
        trained.Save(folder.File("model"));
        trained.Save(folder.File("named.json"));
        foreach (string path in (ReadOnlySpan<string>)[folder.File("model"), folder.File("model", "tokenizer.json"), folder.File("named.json")])
        {
            Tokenizer loaded = Tokenizer.Load(path);
            Assert.Equal(trained.VocabularySize, loaded.VocabularySize);
            Assert.Equal((0, 1, 2), (loaded.BosId, loaded.EosId, loaded.PadId));
            foreach (string text in _corpus) Assert.Equal(trained.Tokenizer.Encode(text), loaded.Encode(text));
        }

        Assert.Equal(["model", "named.json", "tokenizer_config.json"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Training_text_comes_out_in_fewer_ids_than_bytes_and_back_whole()
    {
        Tokenizer tokenizer = Train(_corpus, new BpeTrainerOptions { VocabularySize = 400 }).Tokenizer;
        foreach (string text in _corpus)
        {
            int[] ids = tokenizer.Encode(text);
            Assert.True(ids.Length * 2 < Encoding.UTF8.GetByteCount(text), text);
            Assert.Equal(text, tokenizer.Decode(ids));
        }

        TextGen.WellFormed.Sample(text => Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text))), iter: 500);
    }

    [Fact]
    public void A_small_corpus_stops_early_and_reports_the_real_size()
    {
        TrainedTokenizer trained = Train(["abab"], new BpeTrainerOptions { VocabularySize = 5_000 });
        Assert.Equal(260, trained.VocabularySize);
        Assert.Equal(5_000, trained.WantedSize);
        Assert.Equal("ab", trained.Tokenizer.TokenName(259));
    }

    [Fact]
    public void Tokens_stay_within_the_longest_length_and_away_from_added_tokens()
    {
        string run = new('x', 4_000);
        TrainedTokenizer trained = Train([run], new BpeTrainerOptions { VocabularySize = 400, LongestToken = 8, AddedTokens = ["xx"] });
        for (int id = 259; id < trained.VocabularySize; id++) Assert.InRange(trained.Tokenizer.TokenBytes(id).Length, 2, 8);
        Assert.Equal(trained.VocabularySize - 1, trained.Tokenizer.IdOf("xx"));
    }

    [Fact]
    public void Lone_surrogates_count_as_the_replacement_character()
    {
        Tokenizer tokenizer = Train(["\uD800x\uD800x"], new BpeTrainerOptions { VocabularySize = 300 }).Tokenizer;
        Assert.Equal("\uFFFDx", tokenizer.Decode(tokenizer.Encode("\uDC00x")));
    }

    [Fact]
    public void What_cannot_be_trained_is_one_clear_sentence()
    {
        Assert.Equal("the corpus holds no text to train a tokenizer on", Fault([], new() { VocabularySize = 300 }));
        Assert.Equal("the corpus holds no text to train a tokenizer on", Fault(["", ""], new() { VocabularySize = 300 }));
        Assert.StartsWith("a vocabulary of 100 entries cannot be made", Fault(["a"], new() { VocabularySize = 100 }), StringComparison.Ordinal);
        Assert.StartsWith("a vocabulary of 2147483647 entries cannot be made", Fault(["a"], new() { VocabularySize = int.MaxValue }), StringComparison.Ordinal);
        Assert.Contains("given twice", Fault(["a"], new() { VocabularySize = 300, AddedTokens = ["<x>", "<x>"] }), StringComparison.Ordinal);
        Assert.Contains("control token", Fault(["a"], new() { VocabularySize = 300, AddedTokens = [DeepSeekTokens.Pad] }), StringComparison.Ordinal);
        Assert.Contains("single byte", Fault(["a"], new() { VocabularySize = 300, AddedTokens = ["x"] }), StringComparison.Ordinal);
        Assert.Contains("at least one character", Fault(["a"], new() { VocabularySize = 300, AddedTokens = [""] }), StringComparison.Ordinal);
        static string Fault(IEnumerable<string> documents, BpeTrainerOptions options)
            => Assert.Throws<TokenizerException>(() => Train(documents, options)).Message;
    }

    [Fact]
    public void Training_can_be_given_up()
    {
        using CancellationTokenSource source = new();
        IEnumerable<string> Documents()
        {
            yield return "text";
            source.Cancel();
            yield return "more";
        }

        Assert.Throws<OperationCanceledException>(() => BpeTrainer.Train(Documents(), new BpeTrainerOptions { VocabularySize = 300 }, source.Token));
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_one_clear_sentence_and_leaves_nothing()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("file"), "");
        TokenizerException e = Assert.Throws<TokenizerException>(() => SmallTokenizer.Trained.Save(folder.File("file", "below")));
        Assert.Contains("cannot be written", e.Message, StringComparison.Ordinal);
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    private static TrainedTokenizer Train(IEnumerable<string> documents, BpeTrainerOptions options)
        => BpeTrainer.Train(documents, options, TestContext.Current.CancellationToken);

    private static string[] MergesOf(TrainedTokenizer trained)
    {
        using TemporaryFolder folder = new();
        trained.Save(folder.Path);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(folder.File("tokenizer.json")));
        return [.. document.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray().Select(static m => m.GetString()!)];
    }

    /// <summary>Counts everything anew before every merge.</summary>
    private static string[] ByDefinition(IEnumerable<string> documents, int merges, int minimum)
    {
        List<string> tokens = [.. ByteAlphabet.Ordered.Select(static b => ByteAlphabet.CharOf(b).ToString())];
        List<List<int>> pieces = [];
        foreach (string document in documents)
            foreach (string piece in PieceList.Of(PreTokenizer.DeepSeekV3, document))
                pieces.Add([.. Encoding.UTF8.GetBytes(piece).Select(b => tokens.IndexOf(ByteAlphabet.CharOf(b).ToString()))]);
        List<string> result = [];
        HashSet<(int, int)> passedOver = [];
        while (result.Count < merges)
        {
            Dictionary<(int Left, int Right), long> counts = [];
            foreach (List<int> piece in pieces)
                for (int i = 0; i + 1 < piece.Count; i++) counts[(piece[i], piece[i + 1])] = counts.GetValueOrDefault((piece[i], piece[i + 1])) + 1;
            var candidates = counts.Where(c => c.Value >= minimum && !passedOver.Contains(c.Key)).OrderByDescending(static c => c.Value)
                .ThenBy(static c => c.Key.Left).ThenBy(static c => c.Key.Right).ToArray();
            if (candidates.Length == 0) break;
            (int left, int right) = candidates[0].Key;
            if (tokens.Contains(tokens[left] + tokens[right]))
            {
                passedOver.Add((left, right));
                continue;
            }

            result.Add($"{tokens[left]} {tokens[right]}");
            tokens.Add(tokens[left] + tokens[right]);
            foreach (List<int> piece in pieces)
            {
                for (int i = 0; i + 1 < piece.Count; i++)
                {
                    if (piece[i] != left || piece[i + 1] != right) continue;
                    piece[i] = tokens.Count - 1;
                    piece.RemoveAt(i + 1);
                }
            }
        }

        return [.. result];
    }
}
