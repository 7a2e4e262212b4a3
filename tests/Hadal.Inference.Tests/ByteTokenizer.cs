using System.Text;
using System.Text.Json;
using Hadal.Model.Tokenization;

namespace Hadal.Inference.Tests;

/// <summary>A tokenizer with a token for each byte, id 3 + byte; 0 begins a text, 1 ends it, 2 is no token.</summary>
internal static class ByteTokenizer
{
    public const int FirstByte = 3;

    public static Tokenizer Create(bool addBegin = false)
    {
        var vocabulary = new Dictionary<string, int>();
        int outside = 0;
        for (int b = 0; b < 256; b++)
        {
            bool own = b is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174;
            vocabulary.Add(((char)(own ? b : 256 + outside++)).ToString(), FirstByte + b);
        }

        string json = JsonSerializer.Serialize(new
        {
            version = "1.0",
            added_tokens = new[]
            {
                new { id = 0, content = "<begin>", single_word = false, lstrip = false, rstrip = false, normalized = false, special = true },
                new { id = 1, content = "<end>", single_word = false, lstrip = false, rstrip = false, normalized = false, special = true },
            },
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new { type = "BPE", vocab = vocabulary, merges = Array.Empty<string>() },
        });
        return Tokenizer.Parse(
            Encoding.UTF8.GetBytes(json), "bytes", new TokenizerSettings { BosToken = "<begin>", EosToken = "<end>", AddBosToken = addBegin });
    }
}
