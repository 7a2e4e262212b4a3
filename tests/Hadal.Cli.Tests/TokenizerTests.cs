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
}
