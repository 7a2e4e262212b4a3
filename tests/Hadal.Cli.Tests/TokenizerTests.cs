using System.Text;
using System.Text.Json;
using Hadal.Model.Tokenization;

namespace Hadal.Cli.Tests;

public class TokenizerTests(Samples samples)
{
    [Fact]
    public void Texts_become_the_ids_that_the_tokenizer_gives_in_the_same_order()
    {
        using var folder = new TemporaryFolder();
        string[] texts = [.. Enumerable.Range(0, 20_000).Select(i => $"the list {i} \"of\" é𝔘\n elements")];
        string input = folder.Write("texts.jsonl", string.Concat(texts.Select(t => $"{{\"id\":[1,{{}}],\"text\":{JsonSerializer.Serialize(t)}}}\n")));
        string[] outputs = [folder.File("1.jsonl"), folder.File("3.jsonl")];
        foreach (string output in outputs)
        {
            var run = CliRun.Of("tokenizer", "encode", samples.TokenizerFolder, "--jsonl", input, "--out", output, "--threads", Path.GetFileNameWithoutExtension(output));
            Assert.True(run.Code == 0, run.Error);
        }

        var tokenizer = Tokenizer.Load(samples.TokenizerFolder);
        string[] lines = File.ReadAllLines(outputs[0]);
        Assert.Equal(texts.Length, lines.Length);
        Assert.All(texts.Zip(lines).Where((_, i) => i % 97 == 0), pair => Assert.Equal($"{{\"ids\":[{string.Join(',', tokenizer.Encode(pair.First))}]}}", pair.Second));
        Assert.Equal(File.ReadAllBytes(outputs[0]), File.ReadAllBytes(outputs[1]));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("\n\n", 0)]
    [InlineData("{\"text\":\"\"}", 1)]
    [InlineData("\uFEFF{\"text\":\"a\"}\r\n{\"text\":\"b\"}\r\n\r\n", 2)]
    public void Files_of_all_systems_are_understood(string content, int lines)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("in"), Encoding.UTF8.GetBytes(content));
        var json = CliRun.Of("tokenizer", "encode", samples.TokenizerFolder, "--jsonl", folder.File("in"), "--out", folder.File("out"), "--json").Json();
        Assert.Equal(lines, json.GetProperty("texts").GetInt32());
        Assert.Equal(lines, File.ReadAllLines(folder.File("out")).Length);
    }

    [Fact]
    public void A_line_longer_than_a_batch_is_encoded_whole()
    {
        using var folder = new TemporaryFolder();
        string text = Samples.Prose(1_000_000);
        string input = folder.Write("in", $"{{\"text\":\"a\"}}\n{{\"text\":{JsonSerializer.Serialize(text)}}}\n{{\"text\":\"b\"}}\n");
        Assert.Equal(0, CliRun.Of("tokenizer", "encode", samples.TokenizerFolder, "--jsonl", input, "--out", folder.File("out")).Code);
        using var ids = JsonDocument.Parse(File.ReadLines(folder.File("out")).ElementAt(1));
        Assert.Equal(text, Tokenizer.Load(samples.TokenizerFolder).Decode([.. ids.RootElement.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32())]));
    }

    [Fact]
    public void Control_tokens_are_recognised_unless_told_otherwise_and_added_when_asked_for()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("in", "{\"text\":\"<｜end▁of▁sentence｜>\"}\n");
        Assert.Equal("{\"ids\":[1]}", Encode());
        Assert.Equal("{\"ids\":[0,1,1]}", Encode("--bos", "--eos"));
        Assert.True(Encode("--plain").Length > "{\"ids\":[0,1,1]}".Length);

        string Encode(params string[] options)
        {
            Assert.Equal(0, CliRun.Of(["tokenizer", "encode", samples.TokenizerFolder, "--jsonl", input, "--out", folder.File("out"), .. options]).Code);
            return File.ReadAllText(folder.File("out")).TrimEnd();
        }
    }

    [Fact]
    public void A_tokenizer_trained_twice_is_the_same_file()
    {
        using var folder = new TemporaryFolder();
        foreach (string name in (string[])["a", "b"]) Assert.Equal(0, CliRun.Of("tokenizer", "train", "--vocab", "290", "--out", folder.File(name), samples.Text).Code);
        Assert.Equal(File.ReadAllBytes(folder.File("a", "tokenizer.json")), File.ReadAllBytes(folder.File("b", "tokenizer.json")));
    }

    [Fact]
    public void A_vocabulary_is_the_same_whatever_the_threads_and_refused_when_memory_is_too_small()
    {
        using var folder = new TemporaryFolder();
        foreach (string threads in (string[])["1", "3"])
            Assert.Equal(0, CliRun.Of("tokenizer", "train", "--vocab", "290", "--threads", threads, "--out", folder.File(threads), samples.Text).Code);
        Assert.Equal(File.ReadAllBytes(folder.File("1", "tokenizer.json")), File.ReadAllBytes(folder.File("3", "tokenizer.json")));
        Assert.Contains("need more than the 1024 bytes", CliRun.Of("tokenizer", "train", "--vocab", "290", "--memory", "1K", "--out", folder.File("x"), samples.Text).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_from_a_pipe_becomes_one_line_of_ids_and_comes_back_as_it_was()
    {
        const string Text = " the list\n\n of é𝔘 中文 elements \n";
        var encoded = CliRun.WithInput(Text, "tokenizer", "encode", samples.TokenizerFolder);
        int[] ids = Tokenizer.Load(samples.TokenizerFolder).Encode(Text);
        Assert.Equal($"{{\"ids\":[{string.Join(',', ids)}]}}\n", encoded.Out.ReplaceLineEndings("\n"));
        foreach (string written in (string[])[encoded.Out, $"[{string.Join(", ", ids)}]", string.Join(' ', ids), string.Join('\n', ids) + "\n"])
            Assert.Equal(Text, CliRun.WithInput(written, "tokenizer", "decode", samples.TokenizerFolder).Out);
        Assert.Equal(Text, CliRun.WithInput(encoded.Out, "tokenizer", "decode", samples.TokenizerFolder, "--json").Json().GetProperty("text").GetString());
        Assert.Equal("a", CliRun.WithInput("0 " + string.Join(' ', Tokenizer.Load(samples.TokenizerFolder).Encode("a")) + " 1", "tokenizer", "decode", samples.TokenizerFolder, "--skip-special").Out);
    }

    [Fact]
    public void Files_of_ids_become_the_texts_again_line_by_line()
    {
        using var folder = new TemporaryFolder();
        string input = folder.Write("texts.jsonl", "{\"text\":\"a \\\"list\\\"\"}\n{\"text\":\"\"}\n{\"text\":\"é𝔘\\n\"}\n");
        Assert.Equal(0, CliRun.Of("tokenizer", "encode", samples.TokenizerFolder, "--jsonl", input, "--out", folder.File("ids")).Code);
        Assert.Equal(0, CliRun.Of("tokenizer", "decode", samples.TokenizerFolder, "--jsonl", folder.File("ids"), "--out", folder.File("again")).Code);
        Assert.Equal(
            File.ReadLines(input).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("text").GetString()),
            File.ReadLines(folder.File("again")).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("text").GetString()));
    }

    [Theory]
    [InlineData("1 two")]
    [InlineData("[1,\"2\"]")]
    [InlineData("{\"id\":[1]}")]
    [InlineData("{\"ids\":[1")]
    [InlineData("-1")]
    public void What_is_no_list_of_ids_is_said_to_be_none(string input)
        => Assert.Contains("not a list of token ids", CliRun.WithInput(input, "tokenizer", "decode", samples.TokenizerFolder).Refusal(), StringComparison.Ordinal);

    [Fact]
    public void A_file_to_write_without_one_to_read_is_a_mistake()
    {
        Assert.Contains("--out goes with --jsonl", CliRun.Of("tokenizer", "encode", samples.TokenizerFolder, "--out", "x").Refusal(), StringComparison.Ordinal);
        Assert.Contains("--jsonl needs --out", CliRun.Of("tokenizer", "decode", samples.TokenizerFolder, "--jsonl", "x").Refusal(), StringComparison.Ordinal);
        Assert.Contains("not in the vocabulary", CliRun.WithInput("999999", "tokenizer", "decode", samples.TokenizerFolder).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Tokens_are_counted_by_language_or_file_and_beside_a_second_tokenizer()
    {
        using var folder = new TemporaryFolder();
        string first = folder.Write("mixed.jsonl", "{\"text\":\"the list\",\"lang\":\"en\"}\n{\"text\":\"中文\",\"lang\":\"zh\"}\nno json\n{\"text\":\"of a\",\"lang\":\"en\"}\n");
        string second = folder.Write("plain.txt", "elements of the list");
        var tokenizer = Tokenizer.Load(samples.TokenizerFolder);
        var json = CliRun.Of("tokenizer", "stats", samples.TokenizerFolder, first, second, "--against", samples.ChatFolder, "--json").Json();
        var groups = json.GetProperty("groups").EnumerateArray().ToDictionary(g => g.GetProperty("name").GetString()!);
        Assert.Equal(["en", "plain.txt", "zh"], groups.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((2, 12, tokenizer.Encode("the list").Length + tokenizer.Encode("of a").Length), Numbers(groups["en"]));
        Assert.Equal((1, 6, 6), Numbers(groups["zh"]));
        Assert.Equal(1.0, groups["zh"].GetProperty("bytes_per_token").GetDouble());
        Assert.Equal(Tokenizer.Load(samples.ChatFolder).Encode("elements of the list").Length, groups["plain.txt"].GetProperty("against_tokens").GetInt32());
        Assert.Equal(4, json.GetProperty("total").GetProperty("documents").GetInt32());
        var table = CliRun.Of("tokenizer", "stats", samples.TokenizerFolder, first, second);
        Assert.Equal(0, table.Code);
        Assert.Contains("mixed.jsonl:3", table.Error, StringComparison.Ordinal);
        Assert.Contains("bytes/token", table.Out, StringComparison.Ordinal);

        static (int Documents, int Bytes, int Tokens) Numbers(JsonElement g) => (g.GetProperty("documents").GetInt32(), g.GetProperty("bytes").GetInt32(), g.GetProperty("tokens").GetInt32());
    }
}
