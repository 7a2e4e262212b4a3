using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hadal.Model.Tokenization;

/// <summary>A vocabulary made by <see cref="BpeTrainer"/>, ready to use and to be written as Hugging Face files.</summary>
public sealed class TrainedTokenizer
{
    private const string FileName = "tokenizer.json";
    private const string SettingsName = "tokenizer_config.json";

    private readonly byte[] _file;
    private readonly byte[] _settings;

    internal TrainedTokenizer(ByteStringTable tokens, IReadOnlyList<(int Left, int Right)> merges, BpeTrainerOptions options)
    {
        WantedSize = options.VocabularySize;
        _file = Written(json => WriteFile(json, tokens, merges, options.AddedTokens));
        _settings = Written(WriteSettings);
        // What is in use is what a reader of the files gets.
        Tokenizer = Tokenizer.Parse(_file, FileName, TokenizerSettings.Parse(_settings, SettingsName));
    }

    /// <summary>The tokenizer, exactly as loading the written files gives it.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The size of the vocabulary; less than <see cref="WantedSize"/> when the corpus was too small.</summary>
    public int VocabularySize => Tokenizer.VocabularySize;

    /// <summary>The size that was asked for.</summary>
    public int WantedSize { get; }

    /// <summary>Writes a tokenizer.json, and a tokenizer_config.json beside it. Each file appears under its name complete or not at all.</summary>
    /// <param name="path">A folder (made if need be), or a path that ends in <c>.json</c>.</param>
    /// <exception cref="TokenizerException">A file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string file = path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && !Directory.Exists(path) ? path : Path.Combine(path, FileName);
        TokenizerFolder.Write(file, _file);
        TokenizerFolder.Write(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, SettingsName), _settings);
    }

    private static byte[] Written(Action<Utf8JsonWriter> write)
    {
        JsonWriterOptions options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, options)) write(json);
        return stream.ToArray();
    }

    private static void WriteFile(Utf8JsonWriter json, ByteStringTable tokens, IReadOnlyList<(int Left, int Right)> merges, IReadOnlyList<string> added)
    {
        int firstByte = BpeTrainer.ControlTokens.Count;
        string[] names = new string[tokens.Count];
        for (int i = 0; i < names.Length; i++) names[i] = ByteAlphabet.Write(tokens[i]);

        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        json.WriteStartArray("added_tokens");
        for (int i = 0; i < firstByte; i++) WriteAddedToken(json, i, BpeTrainer.ControlTokens[i], control: true);
        for (int i = 0; i < added.Count; i++) WriteAddedToken(json, firstByte + names.Length + i, added[i], control: false);
        json.WriteEndArray();
        json.WriteNull("normalizer");
        json.WritePropertyName("pre_tokenizer");
        NamedPreTokenizer.Find("deepseek-v3")!.Write(json);
        WriteByteLevel(json, "post_processor", trimOffsets: false);
        WriteByteLevel(json, "decoder", trimOffsets: true);

        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        foreach (string unused in (ReadOnlySpan<string>)["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"]) json.WriteNull(unused);
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", false);
        json.WriteStartObject("vocab");
        for (int i = 0; i < firstByte; i++) json.WriteNumber(BpeTrainer.ControlTokens[i], i);
        for (int i = 0; i < names.Length; i++) json.WriteNumber(names[i], firstByte + i);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach ((int left, int right) in merges) json.WriteStringValue($"{names[left]} {names[right]}");
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    internal static void WriteAddedToken(Utf8JsonWriter json, int id, string content, bool control)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("content", content);
        json.WriteBoolean("single_word", false);
        json.WriteBoolean("lstrip", false);
        json.WriteBoolean("rstrip", false);
        json.WriteBoolean("normalized", !control);
        json.WriteBoolean("special", control);
        json.WriteEndObject();
    }

    /// <summary>Writes a post-processor or a decoder that turns the byte alphabet back into bytes.</summary>
    internal static void WriteByteLevel(Utf8JsonWriter json, string name, bool trimOffsets)
    {
        json.WriteStartObject(name);
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", true);
        json.WriteBoolean("trim_offsets", trimOffsets);
        json.WriteBoolean("use_regex", true);
        json.WriteEndObject();
    }

    private static void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteBoolean("add_bos_token", false);
        json.WriteBoolean("add_eos_token", false);
        json.WriteString("bos_token", DeepSeekTokens.BeginOfSentence);
        json.WriteString("eos_token", DeepSeekTokens.EndOfSentence);
        json.WriteString("pad_token", DeepSeekTokens.Pad);
        json.WriteNull("unk_token");
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        // The class that takes tokenizer.json as it is; naming a Llama class makes some readers put another pre-tokenizer in.
        json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        json.WriteEndObject();
    }
}
