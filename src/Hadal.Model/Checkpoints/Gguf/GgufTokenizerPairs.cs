using System.Text.Json;
using Hadal.Model.Configuration;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>Writes a Hugging Face tokenizer as GGUF metadata.</summary>
internal static class GgufTokenizerPairs
{
    /// <exception cref="TokenizerException">It is of a kind that GGUF files cannot name, or has more tokens than the model.</exception>
    public static void Add(GgufPairs pairs, string path, Tokenizer tokenizer, ModelConfig config)
    {
        using var document = JsonDocument.Parse(TokenizerFolder.ReadFile(path));
        var root = document.RootElement;
        if (StepReader.Normalizer(new JsonField(root, new FilePlace(path, null)).Member("normalizer")) is not null)
            throw new TokenizerException(path, "normalizer", "is not empty, which a GGUF file cannot say");
        var pre = root.TryGetProperty("pre_tokenizer", out var steps) ? NamedPreTokenizer.Recognize(steps) : null;
        if (pre is null)
            throw new TokenizerException(path, "pre_tokenizer", $"is none of those that a GGUF file can name here ({string.Join(", ", NamedPreTokenizer.All.Select(p => p.Name))})");
        if (tokenizer.VocabularySize > config.VocabularySize)
            throw new TokenizerException(path, null, $"has token ids up to {tokenizer.VocabularySize - 1}, but the model has only {config.VocabularySize} rows");

        var added = AddedTokens(root);
        string[] names = new string[config.VocabularySize];
        int[] types = new int[names.Length];
        for (int id = 0; id < names.Length; id++)
        {
            bool there = tokenizer.HasToken(id);
            // Rows without a token are named as every converter names them.
            names[id] = there ? tokenizer.TokenName(id) : $"[PAD{id}]";
            types[id] = !there ? GgufTokenizer.Unused : !added.TryGetValue(id, out bool special) ? GgufTokenizer.Normal
                : special || LooksLikeControl(names[id]) ? GgufTokenizer.Control : GgufTokenizer.UserDefined;
        }

        pairs.Add(GgufTokenizer.Model, "gpt2").Add(GgufTokenizer.Pre, pre.Name).Add(GgufTokenizer.Tokens, names).Add(GgufTokenizer.Types, types)
            .Add(GgufTokenizer.Merges, [.. Merges(root.GetProperty("model").GetProperty("merges"))]);
        if ((tokenizer.BosId ?? config.BeginToken) is { } bos) pairs.Add("tokenizer.ggml.bos_token_id", bos);
        if ((config.EndTokens is [var first, ..] ? first : tokenizer.EosId) is { } eos) pairs.Add("tokenizer.ggml.eos_token_id", eos);
        if (tokenizer.PadId is { } pad) pairs.Add("tokenizer.ggml.padding_token_id", pad);
        pairs.Add(GgufTokenizer.AddBos, tokenizer.Settings.AddBosToken).Add(GgufTokenizer.AddEos, tokenizer.Settings.AddEosToken);
        if (tokenizer.Settings.ChatTemplate is { } template) pairs.Add(GgufTokenizer.Template, template);
    }

    // The role and tool tokens of DeepSeek-V3 are not marked special in its files, but GGUF programs expect them to be control tokens.
    private static bool LooksLikeControl(string name) =>
        (name.StartsWith("<｜", StringComparison.Ordinal) && name.EndsWith("｜>", StringComparison.Ordinal))
        || (name.StartsWith("<|", StringComparison.Ordinal) && name.EndsWith("|>", StringComparison.Ordinal)) || name == "<pad>";

    private static Dictionary<int, bool> AddedTokens(JsonElement root)
    {
        var added = new Dictionary<int, bool>();
        if (!root.TryGetProperty("added_tokens", out var list) || list.ValueKind != JsonValueKind.Array) return added;
        foreach (var token in list.EnumerateArray())
            added[token.GetProperty("id").GetInt32()] = token.TryGetProperty("special", out var special) && special.ValueKind == JsonValueKind.True;
        return added;
    }

    private static IEnumerable<string> Merges(JsonElement merges) =>
        merges.EnumerateArray().Select(m => m.ValueKind == JsonValueKind.String ? m.GetString()! : $"{m[0].GetString()} {m[1].GetString()}");
}
