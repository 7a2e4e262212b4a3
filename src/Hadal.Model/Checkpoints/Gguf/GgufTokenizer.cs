using System.Text.Encodings.Web;
using System.Text.Json;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>The tokenizer in the metadata of a GGUF file, as the two files of a Hugging Face folder.</summary>
/// <remarks>
/// <c>tokenizer.ggml.token_type</c>: 1 normal (written in the byte alphabet), 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. Control and
/// user-defined tokens become added tokens, control and unknown ones special. Files do not say which control tokens were marked special
/// before conversion, so all are.
/// </remarks>
internal static class GgufTokenizer
{
    public const string Prefix = "tokenizer.";
    public const string Model = "tokenizer.ggml.model", Pre = "tokenizer.ggml.pre", Tokens = "tokenizer.ggml.tokens", Types = "tokenizer.ggml.token_type",
        Merges = "tokenizer.ggml.merges", AddBos = "tokenizer.ggml.add_bos_token", AddEos = "tokenizer.ggml.add_eos_token", Template = "tokenizer.chat_template";

    public const int Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5;

    private static readonly JsonWriterOptions _json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="TokenizerException">The file has no tokenizer, or one that is not byte-level BPE as DeepSeek's models have it.</exception>
    /// <exception cref="CheckpointException">The file is unreadable or malformed.</exception>
    public static Tokenizer Load(string path)
    {
        using var file = GgufFile.Open(path);
        return Tokenizer.Parse(FileOf(file.Metadata), $"{path} ({Prefix}ggml, as a tokenizer.json)", SettingsOf(file.Metadata));
    }

    /// <summary>The content of <c>tokenizer.json</c>.</summary>
    public static byte[] FileOf(GgufMetadata m)
    {
        string model = m.Text(Model) ?? throw Fault(m, Model, "is missing: the file holds a model without a tokenizer");
        if (model != "gpt2") throw Fault(m, Model, $"is {FilePlace.Quote(model)}, but must be \"gpt2\": byte-level BPE is what DeepSeek's models use");
        string name = m.Text(Pre) ?? throw Fault(m, Pre, "is missing; it says how text is cut before merging");
        var pre = NamedPreTokenizer.Find(name)
            ?? throw Fault(m, Pre, $"is {FilePlace.Quote(name)}, but must be one of {string.Join(", ", NamedPreTokenizer.All.Select(p => p.Name))}");
        var tokens = m.Texts(Tokens) ?? throw Fault(m, Tokens, "is missing");
        int[] types = m.Wholes(Types) ?? [.. Enumerable.Repeat(Normal, tokens.Count)];
        if (types.Length != tokens.Count) throw Fault(m, Types, $"has {types.Length} entries, but there are {tokens.Count} tokens");
        var merges = m.Texts(Merges) ?? throw Fault(m, Merges, "is missing");
        return Written(json =>
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteStartArray("added_tokens");
            foreach (var (token, id) in tokens.Values.Select((t, i) => (t, i)))
            {
                if (types[id] is Unknown or Control or UserDefined) TrainedTokenizer.WriteAddedToken(json, id, token, control: types[id] != UserDefined);
            }

            json.WriteEndArray();
            json.WriteNull("normalizer");
            json.WritePropertyName("pre_tokenizer");
            pre.Write(json);
            TrainedTokenizer.WriteByteLevel(json, "post_processor", trimOffsets: false);
            TrainedTokenizer.WriteByteLevel(json, "decoder", trimOffsets: true);
            json.WriteStartObject("model");
            json.WriteString("type", "BPE");
            json.WriteStartObject("vocab");
            foreach (var (token, id) in tokens.Values.Select((t, i) => (t, i)))
            {
                if (types[id] is < Normal or > Unused) throw Fault(m, Types, $"gives token {id} the type {types[id]}, but must give one from 1 to 5");
                if (types[id] == Normal) json.WriteNumber(token, id);
            }

            json.WriteEndObject();
            json.WriteStartArray("merges");
            foreach (string merge in merges.Values) json.WriteStringValue(merge);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    /// <summary>What <c>tokenizer_config.json</c> would say.</summary>
    public static TokenizerSettings SettingsOf(GgufMetadata m)
    {
        var tokens = m.Texts(Tokens);
        return new TokenizerSettings
        {
            BosToken = Named("bos"),
            EosToken = Named("eos"),
            PadToken = Named("padding"),
            AddBosToken = m.Flag(AddBos) ?? false,
            AddEosToken = m.Flag(AddEos) ?? false,
            ChatTemplate = m.Text(Template),
        };

        string? Named(string role)
        {
            string key = $"tokenizer.ggml.{role}_token_id";
            if (tokens is null || m.Whole(key) is not { } id) return null;
            return id < tokens.Count ? tokens.Values.ElementAt(id) : throw Fault(m, key, $"is {id}, but there are only {tokens.Count} tokens");
        }
    }

    /// <summary>The content of <c>tokenizer_config.json</c>.</summary>
    public static byte[] SettingsFileOf(TokenizerSettings settings) => Written(json =>
    {
        json.WriteStartObject();
        json.WriteBoolean("add_bos_token", settings.AddBosToken);
        json.WriteBoolean("add_eos_token", settings.AddEosToken);
        if (settings.BosToken is { } bos) json.WriteString("bos_token", bos);
        if (settings.EosToken is { } eos) json.WriteString("eos_token", eos);
        if (settings.PadToken is { } pad) json.WriteString("pad_token", pad);
        if (settings.ChatTemplate is { } template) json.WriteString("chat_template", template);
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        json.WriteEndObject();
    });

    private static byte[] Written(Action<Utf8JsonWriter> write)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, _json)) write(json);
        return stream.ToArray();
    }

    private static TokenizerException Fault(GgufMetadata m, string key, string problem) => new(m.Path, key, problem);
}
