using System.Text.Json;

namespace Hadal.Model.Tokenization;

/// <summary>The pre-tokenizers that GGUF files name instead of spelling them out (<c>tokenizer.ggml.pre</c>), as far as DeepSeek's models use them.</summary>
internal sealed class NamedPreTokenizer
{
    private const string LineBreak = "[\r\n]";

    private const string HanAndHangul = "[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+";

    // What the file of DeepSeek-LLM calls letters: cased letters of the scripts known then.
    private const string Letters = "\\s?[A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA"
        + "\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373\u0376\u0377\u037B-\u037D\u037F\u0386\u0388"
        + "-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F\u0531-\u0556\u10A0-"
        + "\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77\u1D79"
        + "-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D"
        + "\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6"
        + "-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D"
        + "\u2124\u2126\u2128\u212A-\u212D\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00"
        + "-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771"
        + "-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A"
        + "\U00010400-\U0001044F\U000104B0-\U000104D3\U000104D8-\U000104FB\U00010C80-\U00010CB2\U00010CC0-\U00010CF2\U000118A0-\U000118DF\U0001E900-"
        + "\U0001E943]+";

    private const string Punctuation = "\\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+";

    private readonly string[] _patterns;
    private readonly bool _digits;

    private NamedPreTokenizer(string name, bool digits, params string[] patterns) => (Name, _digits, _patterns) = (name, digits, patterns);

    /// <summary>Those that are known.</summary>
    public static IReadOnlyList<NamedPreTokenizer> All { get; } =
    [
        new("deepseek-v3", false, DeepSeekV3Scanner.DigitPattern, DeepSeekV3Scanner.HanKanaPattern, DeepSeekV3Scanner.WordPattern),
        new("deepseek-llm", true, LineBreak, Letters, Punctuation, "\\s+$", HanAndHangul),
        new("deepseek-coder", true, LineBreak, "\\s?\\p{L}+", "\\s?\\p{P}+", HanAndHangul),
    ];

    /// <summary>The name in GGUF files.</summary>
    public string Name { get; }

    /// <summary>The one with a name; null if it is not known.</summary>
    public static NamedPreTokenizer? Find(string name) => All.FirstOrDefault(p => p.Name == name);

    /// <summary>The one that a <c>pre_tokenizer</c> spells out; null if it is none of them.</summary>
    public static NamedPreTokenizer? Recognize(JsonElement preTokenizer) => All.FirstOrDefault(p => p.IsSpelledOut(preTokenizer));

    /// <summary>Writes the object that stands under <c>pre_tokenizer</c>.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        foreach (string pattern in _patterns)
        {
            json.WriteStartObject();
            json.WriteString("type", "Split");
            json.WriteStartObject("pattern");
            json.WriteString("Regex", pattern);
            json.WriteEndObject();
            json.WriteString("behavior", nameof(SplitBehavior.Isolated));
            json.WriteBoolean("invert", false);
            json.WriteEndObject();
        }

        if (_digits)
        {
            json.WriteStartObject();
            json.WriteString("type", "Digits");
            json.WriteBoolean("individual_digits", true);
            json.WriteEndObject();
        }

        json.WriteStartObject();
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", false);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private bool IsSpelledOut(JsonElement preTokenizer)
    {
        if (Text(preTokenizer, "type") != "Sequence" || !preTokenizer.TryGetProperty("pretokenizers", out var list) || list.ValueKind != JsonValueKind.Array) return false;
        JsonElement[] steps = [.. list.EnumerateArray()];
        if (steps.Length != _patterns.Length + (_digits ? 2 : 1)) return false;
        for (int i = 0; i < _patterns.Length; i++)
        {
            if (Text(steps[i], "type") != "Split" || Text(steps[i], "behavior") != nameof(SplitBehavior.Isolated) || IsTrue(steps[i], "invert", false)) return false;
            if (!steps[i].TryGetProperty("pattern", out var pattern) || Text(pattern, "Regex") != _patterns[i]) return false;
        }

        if (_digits && (Text(steps[^2], "type") != "Digits" || !IsTrue(steps[^2], "individual_digits", false))) return false;
        return Text(steps[^1], "type") == "ByteLevel" && !IsTrue(steps[^1], "add_prefix_space", true) && !IsTrue(steps[^1], "use_regex", true);
    }

    private static string? Text(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool IsTrue(JsonElement parent, string name, bool missing) => !parent.TryGetProperty(name, out var value) ? missing : value.ValueKind == JsonValueKind.True;
}
