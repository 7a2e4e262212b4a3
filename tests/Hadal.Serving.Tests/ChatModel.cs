using System.Text.Json;
using Hadal.Inference.Tests;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Model.Tokenization;

namespace Hadal.Serving.Tests;

/// <summary>
/// A small model in a folder, with a token for each byte (id 3 + byte) and the control tokens of the family's chat formats. Its weights are random, so what it
/// says is nonsense, but always the same nonsense.
/// </summary>
public sealed class ChatModel : IDisposable
{
    public const int FirstByte = 3;
    private static readonly string[] _control =
    [
        DeepSeekTokens.FimHole, DeepSeekTokens.FimBegin, DeepSeekTokens.FimEnd, DeepSeekTokens.User, DeepSeekTokens.Assistant,
        "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁outputs▁begin｜>",
        "<｜tool▁outputs▁end｜>", "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>", "<｜tool▁sep｜>", "<think>", "</think>",
    ];

    private readonly TinyModel _tiny;

    private ChatModel(TinyModel tiny)
    {
        _tiny = tiny;
        WriteTokenizer(tiny.Folder);
    }

    /// <summary>Where it lies.</summary>
    public string Folder => _tiny.Folder;

    /// <summary>Vocabulary 288, context as given.</summary>
    public static ModelConfig Config(int context) => TinyModel.Config with { VocabularySize = 288, MaxPositions = context };

    /// <summary>A model with random weights.</summary>
    public static ChatModel Random(int context = 4096) => new(TinyModel.Random(Config(context)));

    /// <summary>A model that computes no numbers.</summary>
    public static ChatModel Broken() =>
        new(TinyModel.Of(Config(512), spec => spec.Role == TensorRole.FinalNorm ? [.. Enumerable.Repeat(float.NaN, (int)spec.Count)] : null));

    /// <summary>A model whose greedy texts never end: the end token's logit is 0, and among 287 random ones there is always a larger.</summary>
    public static ChatModel Endless(int context) => new(TinyModel.Of(Config(context), spec =>
    {
        if (spec.Role != TensorRole.Head) return null;
        float[] head = TinyModel.RandomValues(spec, 1);
        head.AsSpan((int)spec.Shape.Columns, (int)spec.Shape.Columns).Clear();
        return head;
    }));

    public void Dispose() => _tiny.Dispose();

    private static void WriteTokenizer(string folder)
    {
        var vocabulary = new Dictionary<string, int>();
        int outside = 0;
        for (int b = 0; b < 256; b++)
        {
            bool own = b is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174;
            vocabulary.Add(((char)(own ? b : 256 + outside++)).ToString(), FirstByte + b);
        }

        string[] added = [DeepSeekTokens.BeginOfSentence, DeepSeekTokens.EndOfSentence, DeepSeekTokens.Pad, .. _control];
        var tokenizer = new
        {
            version = "1.0",
            added_tokens = added.Select((content, i) => new
            {
                id = i < 3 ? i : FirstByte + 256 + i - 3,
                content,
                single_word = false,
                lstrip = false,
                rstrip = false,
                normalized = false,
                special = i < 3,
            }),
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new { type = "BPE", vocab = vocabulary, merges = Array.Empty<string>() },
        };
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), JsonSerializer.Serialize(tokenizer));
        File.WriteAllText(
            Path.Combine(folder, "tokenizer_config.json"),
            JsonSerializer.Serialize(new { bos_token = DeepSeekTokens.BeginOfSentence, eos_token = DeepSeekTokens.EndOfSentence, add_bos_token = true }));
    }
}
