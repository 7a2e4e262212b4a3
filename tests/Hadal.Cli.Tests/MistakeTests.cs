using System.Text;

namespace Hadal.Cli.Tests;

/// <summary>What a user can get wrong: one sentence, exit code 2, and nothing left behind.</summary>
public class MistakeTests(Samples samples)
{
    [Fact]
    public void A_missing_model_folder() => Assert.Equal("There is no model folder /does/not/exist.\n", CliRun.Of("inspect", "/does/not/exist").Refusal() + "\n");

    [Fact]
    public void A_missing_gguf_file() => Assert.Contains("There is no file model.gguf", CliRun.Of("generate", "model.gguf", "--prompt", "x").Refusal(), StringComparison.Ordinal);

    [Fact]
    public void A_file_instead_of_a_model_folder() =>
        Assert.Contains("is a file; a model is a Hugging Face folder", CliRun.Of("generate", samples.Text, "--prompt", "x").Refusal(), StringComparison.Ordinal);

    [Theory]
    [InlineData("inspect")]
    [InlineData("generate")]
    [InlineData("trace")]
    public void A_config_that_is_not_JSON(string command)
    {
        using var model = new DamagedModel(samples);
        File.WriteAllText(model.File("config.json"), "hidden_size: 16");
        Assert.Contains("config.json: the file is not valid JSON", model.Run(command).Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("generate")]
    [InlineData("trace")]
    public void Truncated_weights(string command)
    {
        using var model = new DamagedModel(samples);
        using (var file = File.OpenWrite(model.File("model.safetensors"))) file.SetLength(file.Length / 2);
        Assert.Contains("model.safetensors", model.Run(command).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_whose_header_says_it_is_huge()
    {
        using var model = new DamagedModel(samples);
        using (var file = File.OpenWrite(model.File("model.safetensors"))) file.Write([255, 255, 255, 255, 255, 255, 255, 127]);
        Assert.Contains("model.safetensors", model.Run("generate").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_of_another_shape()
    {
        using var model = new DamagedModel(samples);
        string config = File.ReadAllText(model.File("config.json"));
        File.WriteAllText(model.File("config.json"), config.Replace("\"moe_intermediate_size\": 64", "\"moe_intermediate_size\": 32", StringComparison.Ordinal));
        Assert.Contains("mlp", model.Run("generate").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_weights()
    {
        using var model = new DamagedModel(samples);
        File.Delete(model.File("model.safetensors"));
        Assert.Contains("safetensors", model.Run("generate").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_a_tokenizer()
    {
        using var model = new DamagedModel(samples);
        File.Delete(model.File("tokenizer.json"));
        Assert.Contains("tokenizer.json", model.Run("generate").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_with_more_entries_than_the_model_has()
    {
        using var model = new DamagedModel(samples);
        Assert.Equal(0, CliRun.Of("tokenizer", "train", "--vocab", "600", "--out", model.Path, samples.Text, samples.RunFile).Code);
        string tokenizer = File.ReadAllText(model.File("tokenizer.json"));
        File.WriteAllText(model.File("tokenizer.json"), tokenizer.Replace("\"id\": 2,", "\"id\": 700,", StringComparison.Ordinal));
        Assert.Contains("tokenizer", model.Run("generate").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_longer_than_the_context()
    {
        using var folder = new TemporaryFolder();
        string prompt = folder.Write("prompt.txt", Samples.Prose(5000));
        string sentence = CliRun.Of("generate", samples.ModelFolder, "--file", prompt, "--threads", "1").Refusal();
        Assert.Contains("the context has room for 2560", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void No_prompt_or_two() => Assert.Multiple(
        () => Assert.Contains("There is no text to continue", CliRun.Of("generate", samples.ModelFolder).Refusal(), StringComparison.Ordinal),
        () => Assert.Contains("Both --prompt and --file", CliRun.Of("generate", samples.ModelFolder, "--prompt", "x", "--file", "y").Refusal(), StringComparison.Ordinal));

    [Fact]
    public void A_prompt_that_is_not_text()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("prompt"), [.. "the list "u8, 0xC3, 0x28]);
        Assert.Contains("is not UTF-8 text", CliRun.Of("generate", samples.ModelFolder, "--file", folder.File("prompt")).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Speculation_without_an_MTP_module()
    {
        using var model = new DamagedModel(samples, "tiny-moonlight");
        Assert.Contains("no MTP module", CliRun.Of("generate", model.Path, "--prompt", "x", "--speculate", "1", "--threads", "1").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Chat_with_a_model_that_has_no_template() =>
        Assert.Contains("no chat template", CliRun.Of("chat", samples.ModelFolder).Refusal(), StringComparison.Ordinal);

    [Theory]
    [InlineData("no chat template named \"llama\"; known are deepseek-v3, deepseek-v3-0324,", "llama")]
    [InlineData("with the template deepseek-v3 the model does not think", "deepseek-v3")]
    [InlineData("with the template deepseek-r1 the model always thinks", "deepseek-r1")]
    public void Chat_with_a_template_that_is_none_or_that_has_no_switch(string expected, string name) =>
        Assert.Contains(expected, CliRun.Of("chat", samples.ModelFolder, "--template", name, "--thinking").Refusal(), StringComparison.Ordinal);

    [Theory]
    [InlineData("{\"ids\": [1]}", "is not a JSON array of token ids")]
    [InlineData("[1, \"two\"]", "is not a JSON array of token ids")]
    [InlineData("[1, 2.5]", "is not a JSON array of token ids")]
    [InlineData("null", "holds null")]
    [InlineData("[]", "no tokens")]
    [InlineData("[1, 100000]", "100000")]
    [InlineData("[-1]", "-1")]
    public void Tokens_to_trace_that_are_none(string json, string expected)
    {
        using var folder = new TemporaryFolder();
        string ids = folder.Write("ids.json", json);
        Assert.Contains(expected, CliRun.Of("trace", samples.ModelFolder, "--tokens", ids, "--out", folder.File("t"), "--threads", "1").Refusal(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["ids.json"], folder.Content());
    }

    [Theory]
    [InlineData("{\"text\": \"a\"}\n{\"text\": ", "line 2")]
    [InlineData("{\"text\": \"a\"}\n\n{\"text\": \"b\"}\n", "line 2")]
    [InlineData("{\"txt\": \"a\"}\n", "has no \"text\"")]
    [InlineData("{\"text\": 5}\n", "has to be a string")]
    [InlineData("[\"a\"]\n", "has to be a JSON object")]
    [InlineData("{\"text\": \"a\"} {}\n", "line 1")]
    [InlineData("{\"text\": \"\\ud800\"}\n", "not valid Unicode")]
    public void A_bad_line_of_texts_is_named_and_nothing_is_written(string lines, string expected)
    {
        using var folder = new TemporaryFolder();
        string texts = folder.Write("texts.jsonl", lines);
        Assert.Contains(expected, CliRun.Of("tokenizer", "encode", samples.TokenizerFolder, "--jsonl", texts, "--out", folder.File("ids.jsonl")).Refusal(), StringComparison.Ordinal);
        Assert.Equal(["texts.jsonl"], folder.Content());
    }

    [Fact]
    public void An_output_in_a_folder_that_does_not_exist() => Assert.Contains(
        "There is no folder /does/not/exist",
        CliRun.Of("tokenizer", "encode", samples.TokenizerFolder, "--jsonl", samples.Text, "--out", "/does/not/exist/ids.jsonl").Refusal(), StringComparison.Ordinal);

    [Theory]
    [InlineData("{", "run file cannot be understood")]
    [InlineData("{\"steps\": 0}", "model")]
    [InlineData("{\"stpes\": 5}", "stpes")]
    public void A_run_file_that_is_wrong(string json, string expected)
    {
        using var folder = new TemporaryFolder();
        string run = folder.Write("run.json", json);
        Assert.Contains(expected, CliRun.Of("train", "--config", run, "--out", folder.File("out")).Refusal(), StringComparison.Ordinal);
        Assert.Equal(["run.json"], folder.Content());
    }

    [Fact]
    public void An_empty_corpus()
    {
        using var folder = new TemporaryFolder();
        folder.Write("text/empty.txt", "");
        string run = folder.Write("run.json", samples.Run(r => r["data"] = new System.Text.Json.Nodes.JsonArray(folder.File("text"))));
        _ = CliRun.Of("train", "--config", run, "--out", folder.File("out")).Refusal();
        Assert.False(Directory.Exists(folder.File("out")));
    }

    [Fact]
    public void Text_that_does_not_exist()
    {
        using var folder = new TemporaryFolder();
        string run = folder.Write("run.json", samples.Run(r => r["data"] = new System.Text.Json.Nodes.JsonArray("missing.txt")));
        Assert.Contains(folder.File("missing.txt"), CliRun.Of("train", "--config", run, "--out", folder.File("out")).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_corpus_shorter_than_one_sequence()
    {
        using var folder = new TemporaryFolder();
        folder.Write("short.txt", "the list");
        string run = folder.Write("run.json", samples.Run(r => r["data"] = new System.Text.Json.Nodes.JsonArray("short.txt")));
        Assert.Contains("tokens", CliRun.Of("train", "--config", run, "--out", folder.File("out")).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_no_machine_has_the_memory_for()
    {
        using var folder = new TemporaryFolder();
        string run = folder.Write("run.json", samples.Run(r => (r["model"]!["hidden_size"], r["model"]!["intermediate_size"]) = (1 << 20, 1 << 22)));
        Assert.Contains("TB of memory, but there are only", CliRun.Of("train", "--config", run, "--out", folder.File("out")).Refusal(), StringComparison.Ordinal);
        Assert.Equal(["run.json"], folder.Content());
    }

    [Fact]
    public void A_path_that_cannot_be_followed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights there.");
        using var folder = new TemporaryFolder();
        string loop = folder.File("loop");
        File.CreateSymbolicLink(loop, loop);
        Assert.Contains(loop, CliRun.Of("tokenizer", "train", "--vocab", "300", "--out", folder.File("t.json"), loop).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_that_may_not_be_written_is_called_by_its_name()
    {
        Assert.SkipUnless(Directory.Exists("/proc/self"), "This system has no folder that nobody may write.");
        string sentence = CliRun.Of("tokenizer", "encode", samples.TokenizerFolder, "--jsonl", samples.RunFile, "--out", "/proc/self/ids.jsonl").Refusal();
        Assert.Contains("'/proc/self/ids.jsonl'", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_folder_that_is_a_file() =>
        Assert.Contains("is a file; --out has to name a folder", CliRun.Of("train", "--config", samples.RunFile, "--out", samples.Text).Refusal(), StringComparison.Ordinal);

    [Fact]
    public void A_model_whose_vocabulary_is_smaller_than_the_tokenizers()
    {
        using var folder = new TemporaryFolder();
        string run = folder.Write("run.json", samples.Run(r => r["model"]!["vocab_size"] = 100));
        Assert.Contains("vocab_size", CliRun.Of("train", "--config", run, "--out", folder.File("out")).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_may_not_be_read()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.UserName == "root", "The administrator may read everything.");
        using var folder = new TemporaryFolder();
        string closed = folder.File("closed");
        Directory.CreateDirectory(closed);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(closed, UnixFileMode.None);
        try
        {
            Assert.Contains(closed, CliRun.Of("tokenizer", "train", "--vocab", "300", "--out", folder.File("t.json"), closed).Refusal(), StringComparison.Ordinal);
        }
        finally
        {
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public void A_full_device()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "This system has no device that is always full.");
        using var folder = new TemporaryFolder();
        string ids = folder.Write("ids.json", "[1, 2]"), texts = folder.Write("texts.jsonl", "{\"text\":\"a\"}\n");
        Assert.Contains("/dev/full", CliRun.Of("trace", samples.ModelFolder, "--tokens", ids, "--out", "/dev/full", "--threads", "1").Refusal(), StringComparison.Ordinal);
        Assert.Contains("No space left", CliRun.Of("tokenizer", "encode", samples.TokenizerFolder, "--jsonl", texts, "--out", "/dev/full").Refusal(), StringComparison.Ordinal);
        _ = CliRun.Of("tokenizer", "train", "--vocab", "300", "--out", "/dev/full", samples.Text).Refusal();
        _ = CliRun.Of("train", "--config", samples.RunFile, "--out", "/dev/full").Refusal();
        Assert.Throws<IOException>(() =>
        {
            using var device = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1);
            device.Write(Encoding.UTF8.GetBytes("still a device"));
            device.Flush();
        });
    }

    /// <summary>A copy of the sample model, to be damaged.</summary>
    private sealed class DamagedModel : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public DamagedModel(Samples samples, string? golden = null)
        {
            foreach (string path in Directory.EnumerateFiles(samples.ModelFolder)) System.IO.File.Copy(path, _folder.File(System.IO.Path.GetFileName(path)));
            if (golden is null) return;
            foreach (string name in (string[])["config.json", "model.safetensors"]) System.IO.File.Copy(GoldenData.Folder(golden, name), File(name), overwrite: true);
        }

        public string Path => _folder.Path;

        public string File(string name) => _folder.File(name);

        public CliRun Run(string command)
        {
            string ids = _folder.Write("ids.json", "[1, 2]");
            var run = command switch
            {
                "generate" => CliRun.Of("generate", Path, "--prompt", "the list", "--max-tokens", "2", "--threads", "1"),
                "trace" => CliRun.Of("trace", Path, "--tokens", ids, "--out", File("trace.safetensors"), "--threads", "1"),
                _ => CliRun.Of(command, Path),
            };
            Assert.DoesNotContain(_folder.Content(), n => n.StartsWith("trace", StringComparison.Ordinal));
            return run;
        }

        public void Dispose() => _folder.Dispose();
    }
}
