using System.Text.Json;
using Hadal.Model.Tokenization;
using Hadal.Serving.Answering;

namespace Hadal.Serving.OpenAI;

/// <summary>Texts that a request gives as text or as tokens: prompts to continue, inputs to embed.</summary>
internal static class TextInputs
{
    /// <summary>How text of strangers is encoded: it does not become control tokens.</summary>
    public static EncodeOptions Plain { get; } = new() { AddedTokens = AddedTokenRecognition.None };

    /// <summary>The texts of a field: a text, a list of texts, a list of tokens, or a list of these.</summary>
    /// <param name="field">The field.</param>
    /// <param name="name">Its name.</param>
    /// <param name="meaning">What it is, for who has left it out.</param>
    /// <param name="most">How many texts there may be.</param>
    /// <returns>The texts, each a string or a list of tokens if the request is as it should be, at least one.</returns>
    public static List<JsonElement> Of(JsonElement? field, string name, string meaning, int most)
    {
        if (field is not { ValueKind: not JsonValueKind.Null } given) throw new RequestException($"{name} is missing; it is {meaning}.", name);
        List<JsonElement> items = given.ValueKind == JsonValueKind.Array && !IsTokens(given) ? [.. given.EnumerateArray()] : [given];
        if (items.Count == 0) throw new RequestException($"{name} is an empty list.", name);
        return items.Count <= most ? items : throw new RequestException($"{name} has {items.Count} texts; at most {most} are allowed.", name);
    }

    /// <summary>Whether a text is given as tokens.</summary>
    public static bool IsTokens(JsonElement item) =>
        item.ValueKind == JsonValueKind.Array && item.GetArrayLength() > 0 && item.EnumerateArray().All(t => t.ValueKind == JsonValueKind.Number);

    /// <summary>The tokens of a text that is given as such.</summary>
    public static int[] Tokens(JsonElement item, string name, Tokenizer tokenizer) =>
        [.. item.EnumerateArray().Select(t => t.TryGetInt32(out int id) && tokenizer.HasToken(id)
            ? id
            : throw new RequestException($"{name} has {t.GetRawText()}, which is no token of the model.", name))];

    /// <summary>The tokens of a text, with the begin token before them if the tokenizer's settings say so, or if there are no others.</summary>
    public static int[] Encode(string text, Tokenizer tokenizer)
    {
        int[] tokens = tokenizer.Encode(text, Plain);
        return tokenizer.BosId is { } begin && (tokenizer.Settings.AddBosToken || tokens.Length == 0) ? [begin, .. tokens] : tokens;
    }
}
