using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

public class TokenizerFileErrorTests
{
    public static TheoryData<string, string> BrokenText => new()
    {
        { "", "not a readable JSON document" },
        { "not json", "not a readable JSON document" },
        { "{\"model\":", "not a readable JSON document" },
        { "{} trailing", "not a readable JSON document" },
        { new string('[', 100_000), "not a readable JSON document" },
        { string.Concat(Enumerable.Repeat("{\"a\":", 50)) + "1" + new string('}', 50), "not a readable JSON document" },
        { "[]", "is an array, but must be an object" },
        { "{}", "pre_tokenizer: has no ByteLevel step" },
        { "\"\\ud800\"", "is a string, but must be an object" },
        { "{\"normalizer\":{\"type\":\"\\ud800\"}}", "holds text that is not valid Unicode" },
    };

    [Theory]
    [MemberData(nameof(BrokenText))]
    public void Text_that_is_no_tokenizer_is_one_clear_sentence(string json, string says) => Expect(Encoding.UTF8.GetBytes(json), "file: ", says);

    [Fact]
    public void Bytes_that_are_not_text_are_refused()
    {
        Expect([0xFF, 0xFE, 0, 1, 2], "file: ", "not a readable JSON document");
        Expect([.. "{\"normalizer\":{\"type\":\""u8, 0xC3, 0x28, .. "\"}}"u8], "file: ", "");
    }

    public static TheoryData<string, string?, string> BrokenFields => new()
    {
        // Path, replacement (null removes), what the error says.
        { "model", null, "model: is missing, but must be an object" },
        { "model", "7", "model: is the number 7, but must be an object" },
        { "model.type", "\"Unigram\"", "model.type: is \"Unigram\", but must be \"BPE\"" },
        { "model.vocab", null, "model.vocab: is missing, but must be an object" },
        { "model.vocab", "[]", "model.vocab: is an array, but must be an object" },
        { "model.vocab", "{}", "model.vocab: lacks" },
        { "model.vocab.!", null, "model.vocab: lacks \"!\", the entry of the single byte 0x21" },
        { "model.vocab.!", "\"3\"", "model.vocab[\"!\"]: is a string, but must be a token id" },
        { "model.vocab.!", "-1", "model.vocab[\"!\"]: is the number -1, but must be a token id" },
        { "model.vocab.!", "3.5", "model.vocab[\"!\"]: is the number 3.5, but must be a token id" },
        { "model.vocab.!", "99999999999999999999", "model.vocab[\"!\"]: is the number 99999999999999999999, but must be a token id" },
        { "model.vocab.!", "4", "has the id 4, which another entry has" },
        { "model.vocab.!", "2147483647", "the highest token id is 2147483647, but there are only" },
        { "model.vocab.!", "100000", "ids must run from 0 with few gaps" },
        { "model.merges", null, "model.merges: is missing, but must be an array" },
        { "model.merges", "{}", "model.merges: is an object, but must be an array" },
        { "model.merges", "[\"zz q\"]", "model.merges[0]: needs the token \"zz\", which model.vocab does not hold" },
        { "model.merges", "[\"z q\"]", "model.merges[0]: needs the token \"zq\", which model.vocab does not hold" },
        { "model.merges", "[\"abc\"]", "model.merges[0]: must be two tokens in the byte alphabet" },
        { "model.merges", "[\"a b c\"]", "model.merges[0]: must be two tokens in the byte alphabet" },
        { "model.merges", "[\" b\"]", "model.merges[0]: must be two tokens in the byte alphabet" },
        { "model.merges", "[[\"a\"]]", "model.merges[0]: must be two tokens in the byte alphabet" },
        { "model.merges", "[[\"a\", 1]]", "model.merges[0]: must be two tokens in the byte alphabet" },
        { "model.merges", "[3]", "model.merges[0]: must be two tokens in the byte alphabet" },
        { "model.dropout", "0.1", "model.dropout: is set, but must be null or 0" },
        { "model.end_of_word_suffix", "\"</w>\"", "model.end_of_word_suffix: is set, but must be null or empty" },
        { "model.ignore_merges", "1", "model.ignore_merges: is the number 1, but must be true or false" },
        { "added_tokens", "7", "added_tokens: is the number 7, but must be an array" },
        { "added_tokens", "[7]", "added_tokens[0]: is the number 7, but must be an object" },
        { "added_tokens", "[{\"content\":\"x\"}]", "added_tokens[0].id: is missing, but must be a token id" },
        { "added_tokens", "[{\"id\":290}]", "added_tokens[0].content: is missing, but must be a string" },
        { "added_tokens", "[{\"id\":290,\"content\":\"\"}]", "added_tokens[0].content: has 0 characters" },
        { "added_tokens", "[{\"id\":3,\"content\":\"<x>\"}]", "gives \"<x>\" the id 3, but model.vocab gives that id to another token" },
        { "added_tokens", "[{\"id\":290,\"content\":\"!\"}]", "gives \"!\" the id 290, but model.vocab gives it the id 3" },
        { "added_tokens", "[{\"id\":290,\"content\":\"<x>\"},{\"id\":290,\"content\":\"<y>\"}]", "has the id 290, which another added token has" },
        { "added_tokens", "[{\"id\":290,\"content\":\"<x>\"},{\"id\":291,\"content\":\"<x>\"}]", "lists \"<x>\" a second time" },
        { "added_tokens", "[{\"id\":290,\"content\":\"<x>\",\"special\":\"yes\"}]", "added_tokens[0].special: is a string, but must be true or false" },
        { "normalizer", "{\"type\":\"Lowercase\"}", "normalizer: the normalizer \"Lowercase\" is not supported" },
        { "normalizer", "{}", "normalizer.type: is missing, but must be a string" },
        { "normalizer", "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"\"}", "normalizer.pattern.String: is empty" },
        { "pre_tokenizer", "null", "pre_tokenizer: has no ByteLevel step" },
        { "pre_tokenizer", "{\"type\":\"Metaspace\"}", "pre_tokenizer: has no ByteLevel step" },
        { "pre_tokenizer", BeforeByteLevel("{\"type\":\"Bert\"}"), "the pre-tokenizer \"Bert\" is not supported" },
        { "pre_tokenizer", BeforeByteLevel("{\"type\":\"ByteLevel\"}"), "has two ByteLevel steps" },
        { "pre_tokenizer", BeforeByteLevel("{\"type\":\"Split\",\"behavior\":\"Isolated\",\"pattern\":{}}"), "must hold a \"Regex\" or a \"String\"" },
        { "pre_tokenizer", BeforeByteLevel("{\"type\":\"Split\",\"behavior\":\"Sideways\",\"pattern\":{\"String\":\"a\"}}"), "behavior: is \"Sideways\"" },
        { "pre_tokenizer", BeforeByteLevel("{\"type\":\"Split\",\"behavior\":\"Isolated\",\"pattern\":{\"Regex\":\"(\"}}"),
            "pattern.Regex: the pattern \"(\" has a group without an end" },
        { "decoder", "{\"type\":\"WordPiece\"}", "decoder: the decoder \"WordPiece\" is not supported; supported is ByteLevel" },
    };

    [Theory]
    [MemberData(nameof(BrokenFields))]
    public void A_broken_field_is_named_with_what_would_be_right(string path, string? json, string says)
        => Expect(
            SmallTokenizer.Changed(root =>
            {
                string[] names = path.Split('.', 3);
                JsonObject owner = names[..^1].Aggregate(root, static (node, name) => node[name]!.AsObject());
                if (json is null) owner.Remove(names[^1]);
                else owner[names[^1]] = JsonNode.Parse(json);
            }),
            "file: ", says);

    [Fact]
    public void An_entry_listed_twice_is_refused()
    {
        string json = Encoding.UTF8.GetString(SmallTokenizer.File);
        string changed = json.Replace("\"!\": 3,", "\"!\": 3, \"!\": 300,", StringComparison.Ordinal);
        Assert.NotEqual(json, changed);
        Expect(Encoding.UTF8.GetBytes(changed), "file: ", "model.vocab[\"!\"]: is listed twice");
    }

    [Fact]
    public void Missing_and_unreadable_files_are_one_clear_sentence()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("does not exist", Fault(folder.File("nowhere")), StringComparison.Ordinal);
        Assert.Contains("tokenizer.json: does not exist", Fault(folder.Path), StringComparison.Ordinal);
        Directory.CreateDirectory(folder.File("odd", "tokenizer.json"));
        Assert.Contains("tokenizer.json: does not exist", Fault(folder.File("odd")), StringComparison.Ordinal);
        File.WriteAllText(folder.File("broken.json.gz"), "not packed");
        Assert.Contains("cannot be read", Fault(folder.File("broken.json.gz")), StringComparison.Ordinal);
        static string Fault(string path) => Assert.Throws<TokenizerException>(() => Tokenizer.Load(path)).Message;
    }

    [Fact]
    public void A_packed_file_loads_and_one_that_unpacks_without_end_is_refused()
    {
        using TemporaryFolder folder = new();
        using (GZipStream packed = new(File.Create(folder.File("tokenizer.json.gz")), CompressionLevel.Fastest)) packed.Write(SmallTokenizer.File);
        Assert.Equal(SmallTokenizer.Trained.VocabularySize, Tokenizer.Load(folder.Path).VocabularySize);

        // The limit of real files is 256 MiB; the check is the same with a smaller one.
        using GZipStream unpacked = new(File.OpenRead(folder.File("tokenizer.json.gz")), CompressionMode.Decompress);
        TokenizerException e = Assert.Throws<TokenizerException>(() => TokenizerFolder.ReadAll(unpacked, "file", limit: 5_000));
        Assert.StartsWith("file: is larger than", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "is an array, but must be an object")]
    [InlineData("{\"bos_token\":7}", "bos_token: is the number 7, but must be a string")]
    [InlineData("{\"bos_token\":{}}", "bos_token.content: is missing, but must be a string")]
    [InlineData("{\"bos_token\":\"<none>\"}", "bos_token: names the token \"<none>\", which the tokenizer does not have")]
    [InlineData("{\"add_bos_token\":\"yes\"}", "add_bos_token: is a string, but must be true or false")]
    [InlineData("{\"chat_template\":{}}", "chat_template: is an object, but must be a string")]
    [InlineData("{\"chat_template\":[{\"name\":\"default\"}]}", "chat_template[0].template: is missing, but must be a string")]
    [InlineData("{", "not a readable JSON document")]
    public void A_broken_tokenizer_config_is_named_with_what_would_be_right(string json, string says)
    {
        using TemporaryFolder folder = new();
        SmallTokenizer.Trained.Save(folder.Path);
        File.WriteAllText(folder.File("tokenizer_config.json"), json);
        TokenizerException e = Assert.Throws<TokenizerException>(() => Tokenizer.Load(folder.Path));
        Assert.Equal(folder.File("tokenizer_config.json"), e.Path);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_settings_beside_the_file_are_read_in_all_spellings()
    {
        using TemporaryFolder folder = new();
        SmallTokenizer.Trained.Save(folder.Path);
        File.WriteAllText(folder.File("tokenizer_config.json"), """
            {"bos_token":{"content":"<|EOT|>"},"eos_token":"!","add_bos_token":true,
            "chat_template":[{"name":"tool","template":"t"},{"name":"default","template":"d"}]}
            """);
        Tokenizer tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal(tokenizer.IdOf("<|EOT|>"), tokenizer.BosId);
        Assert.Equal(3, tokenizer.EosId);
        Assert.Equal(2, tokenizer.PadId);
        Assert.True(tokenizer.Settings.AddBosToken);
        Assert.Equal("d", tokenizer.Settings.ChatTemplate);
        File.WriteAllText(folder.File("chat_template.jinja"), "j");
        Assert.Equal("j", Tokenizer.Load(folder.Path).Settings.ChatTemplate);
    }

    [Fact]
    public void A_byte_order_mark_and_a_stream_are_fine()
    {
        byte[] marked = [0xEF, 0xBB, 0xBF, .. SmallTokenizer.File];
        Assert.Equal(SmallTokenizer.Trained.VocabularySize, Tokenizer.Parse(new MemoryStream(marked), "file").VocabularySize);
    }

    private static string BeforeByteLevel(string step) => $$"""{"type":"Sequence","pretokenizers":[{{step}},{"type":"ByteLevel"}]}""";

    private static void Expect(byte[] content, string starts, string says)
    {
        TokenizerException e = Assert.Throws<TokenizerException>(() => Tokenizer.Parse(content, "file"));
        Assert.StartsWith(starts, e.Message, StringComparison.Ordinal);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal("file", e.Path);
        Assert.InRange(e.Message.Length, 1, 400);
    }
}
