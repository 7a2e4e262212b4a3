using Hadal.Model.Chat;
using Hadal.Model.Checkpoints;
using Hadal.Model.Checkpoints.Gguf;
using Hadal.Model.Configuration;
using Hadal.Model.Tests.Tokenization;
using Hadal.Model.Tokenization;
using Hadal.Numerics;

namespace Hadal.Model.Tests.Checkpoints.Gguf;

public class GgufTokenizerTests
{
    [Theory]
    [InlineData("deepseek-v3", "oracle.jsonl.gz", "deepseek-v3")]
    [InlineData("deepseek-llm-v1", "oracle.jsonl", "deepseek-llm")]
    [InlineData("deepseek-coder-v1", "oracle.jsonl", "deepseek-coder")]
    public void A_tokenizer_that_went_through_a_file_agrees_with_the_oracle(string name, string oracle, string pre)
    {
        using var files = new TemporaryFolder();
        var original = Tokenizer.Load(TokenizerData.Folder(name));
        string path = files.File("x.gguf");
        WriteTokenizer(path, Path.Combine(TokenizerData.Folder(name), "tokenizer.json.gz"), original);
        using (var file = GgufFile.Open(path)) Assert.Equal(pre, file.Metadata.Text(GgufTokenizer.Pre));

        var tokenizer = Tokenizer.Load(path);
        int lines = 0;
        foreach (var (kind, text, ids) in TokenizerData.Oracle(name, oracle))
        {
            // Depends on which Unicode version knows the letters of this text.
            if (kind == "unassigned_in_unicode14") continue;
            lines++;
            if (!tokenizer.Encode(text).AsSpan().SequenceEqual(ids)) Assert.Fail($"{kind}: {text}");
        }

        Assert.InRange(lines, 20, int.MaxValue);
        Assert.Equal(original.VocabularySize, tokenizer.VocabularySize);
        for (int id = 0; id < original.VocabularySize; id++)
        {
            bool same = original.HasToken(id) ? tokenizer.HasToken(id) && original.TokenName(id) == tokenizer.TokenName(id) : !tokenizer.HasToken(id);
            if (!same) Assert.Fail($"Token {id} differs.");
        }

        Assert.Equal((original.BosId, original.EosId, original.PadId), (tokenizer.BosId, tokenizer.EosId, tokenizer.PadId));
    }

    [Fact]
    public void Settings_and_chat_template_are_kept()
    {
        using var files = new TemporaryFolder();
        var original = TokenizerData.V3;
        string path = files.File("x.gguf");
        WriteTokenizer(path, Path.Combine(TokenizerData.Folder("deepseek-v3"), "tokenizer.json.gz"), original);
        var tokenizer = Tokenizer.Load(path);
        Assert.Equal(original.Settings, tokenizer.Settings);
        Assert.NotNull(ChatTemplate.Recognize(tokenizer.Settings));
        // Role tokens are control tokens in such files.
        Assert.True(tokenizer.IsSpecial(tokenizer.IdOf(DeepSeekTokens.User)!.Value));
    }

    [Theory]
    [InlineData("model", "llama", "tokenizer.ggml.model: is \"llama\", but must be \"gpt2\"")]
    [InlineData("pre", "qwen2", "tokenizer.ggml.pre: is \"qwen2\", but must be one of deepseek-v3, deepseek-llm, deepseek-coder")]
    [InlineData("tokens", "", "tokenizer.ggml.tokens: is missing")]
    [InlineData("merges", "", "tokenizer.ggml.merges: is missing")]
    [InlineData("token_type", "short", "has 1 entries, but there are")]
    [InlineData("token_type", "wild", "gives token 0 the type 9, but must give one from 1 to 5")]
    [InlineData("bos_token_id", "99999", "is 99999, but there are only")]
    [InlineData("tokens", "twice", "is listed twice")]
    public void A_tokenizer_that_cannot_be_used_is_one_sentence(string key, string value, string message)
    {
        using var files = new TemporaryFolder();
        var small = SmallTokenizerPairs();
        var changed = new GgufPairs();
        foreach (var (name, raw) in small.All)
        {
            if (name != "tokenizer.ggml." + key) changed.AddRaw(name, raw);
            else if (value == "short") changed.Add(name, [1]);
            else if (value == "wild") changed.Add(name, [9, .. Enumerable.Repeat(1, 263)]);
            else if (value == "twice") changed.Add(name, [.. Enumerable.Repeat("a", 264)]);
            else if (key == "bos_token_id") changed.Add(name, 99999u);
            else if (value.Length > 0) changed.Add(name, value);
        }

        string path = files.File("x.gguf");
        GgufWriter.Write(path, changed, [], null, TestContext.Current.CancellationToken);
        var e = Assert.Throws<TokenizerException>(() => Tokenizer.Load(path));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_a_tokenizer_says_so()
    {
        using var files = new TemporaryFolder();
        string path = GgufRoundTripTests.Write(files, TinyModel.Config, GgufWeights.F32);
        Assert.Contains("must be \"gpt2\"", Assert.Throws<TokenizerException>(() => Tokenizer.Load(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_made_of_a_file_has_its_tokenizer()
    {
        using var files = new TemporaryFolder();
        var config = TinyModel.Config with { VocabularySize = 264 };
        CheckpointWriter.Write(files.File("hf"), config, TinyModel.Values, new CheckpointOptions { Type = DType.F32 }, TestContext.Current.CancellationToken);
        Small().Save(files.File("hf"));
        using (var source = Checkpoint.Open(files.File("hf"))) ModelConversion.ToGguf(source, files.File("x.gguf"), GgufWeights.F32, null, TestContext.Current.CancellationToken);
        using (var source = Checkpoint.Open(files.File("x.gguf"))) ModelConversion.ToFolder(source, files.File("back"), DType.F32, null, TestContext.Current.CancellationToken);
        Tokenizer before = Tokenizer.Load(files.File("hf")), after = Tokenizer.Load(files.File("back"));
        const string text = "a list of the elements, 123 of them";
        Assert.Equal(before.Encode(text), after.Encode(text));
        Assert.Equal(before.Settings, after.Settings);
        using var again = Checkpoint.Open(files.File("back"));
        Assert.Equal([1], again.Config.EndTokens);
    }

    private static TrainedTokenizer Small() => BpeTrainer.Train(["a list of the elements of the list"], new BpeTrainerOptions { VocabularySize = 264 });

    private static GgufPairs SmallTokenizerPairs()
    {
        using var files = new TemporaryFolder();
        Small().Save(files.Path);
        var pairs = new GgufPairs();
        GgufTokenizerPairs.Add(pairs, files.File("tokenizer.json"), Tokenizer.Load(files.Path), TinyModel.Config with { VocabularySize = 264 });
        return pairs;
    }

    private static void WriteTokenizer(string path, string file, Tokenizer tokenizer)
    {
        var pairs = new GgufPairs();
        GgufTokenizerPairs.Add(pairs, file, tokenizer, new ModelConfig { VocabularySize = tokenizer.VocabularySize + 10, EndTokens = tokenizer.EosId is { } eos ? [eos] : [] });
        GgufWriter.Write(path, pairs, [], null, TestContext.Current.CancellationToken);
    }
}
