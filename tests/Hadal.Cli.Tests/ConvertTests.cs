namespace Hadal.Cli.Tests;

public class ConvertTests(Samples samples)
{
    [Fact]
    public void A_gguf_file_generates_what_its_folder_generates()
    {
        using var files = new TemporaryFolder();
        var json = CliRun.Of("convert", samples.ModelFolder, files.File("m.gguf"), "--json").Json();
        Assert.Equal("f32", json.GetProperty("weights").GetString());
        Assert.Equal(1, json.GetProperty("mtp_layers").GetInt32());
        Assert.Equal(json.GetProperty("tensors").GetInt32(), json.GetProperty("dtypes").GetProperty("F32").GetInt32());
        Assert.InRange(new FileInfo(files.File("m.gguf")).Length, json.GetProperty("bytes").GetInt64(), long.MaxValue);

        Assert.Equal(Tokens(samples.ModelFolder), Tokens(files.File("m.gguf")));
        Assert.Equal(Tokens(samples.ModelFolder, "--speculate", "2"), Tokens(files.File("m.gguf"), "--speculate", "2"));

        Assert.Equal(0, CliRun.Of("convert", files.File("m.gguf"), files.File("back")).Code);
        Assert.Equal(Tokens(samples.ModelFolder), Tokens(files.File("back")));
    }

    [Theory]
    [InlineData("f16", "F16")]
    [InlineData("bf16", "BF16")]
    [InlineData("q8_0", "Q8_0")]
    [InlineData("q4_0", "Q4_0")]
    [InlineData("Q4_K_M", "Q5_0")]
    public void Every_type_of_weights_is_written_inspected_and_run(string weights, string type)
    {
        using var files = new TemporaryFolder();
        Assert.Equal(0, CliRun.Of("convert", samples.ModelFolder, files.File("m.gguf"), "--weights", weights).Code);
        var json = CliRun.Of("inspect", files.File("m.gguf"), "--json").Json();
        // Matrices of 128 columns take no blocks of 256, for which blocks of 32 stand in.
        Assert.InRange(json.GetProperty("dtypes").GetProperty(type).GetInt32(), 40, 100);
        Assert.Equal("deepseek_v3", json.GetProperty("architecture").GetString());
        Assert.Equal(8, Tokens(files.File("m.gguf"), "--max-tokens", "8").Length);
    }

    [Fact]
    public void A_gguf_file_chats_and_is_traced()
    {
        using var files = new TemporaryFolder();
        Assert.Equal(0, CliRun.Of("convert", samples.ChatFolder, files.File("m.gguf")).Code);
        string[] arguments = ["--max-tokens", "4", "--temperature", "0", "--json"];
        Assert.Equal(
            CliRun.WithInput("a list\n", ["chat", samples.ChatFolder, .. arguments]).Json().ToString(),
            CliRun.WithInput("a list\n", ["chat", files.File("m.gguf"), .. arguments]).Json().ToString());
        string ids = files.Write("ids.json", "[0, 5, 9]");
        Assert.Equal(0, CliRun.Of("trace", files.File("m.gguf"), "--tokens", ids, "--out", files.File("t.safetensors")).Code);
    }

    [Fact]
    public void FP8_folders_are_written_and_read()
    {
        using var files = new TemporaryFolder();
        var json = CliRun.Of("convert", samples.ModelFolder, files.File("fp8"), "--weights", "fp8", "--json").Json();
        Assert.InRange(json.GetProperty("dtypes").GetProperty("F8_E4M3").GetInt32(), 100, 1000);
        Assert.Equal("bf16", CliRun.Of("convert", files.File("fp8"), files.File("bf16"), "--json").Json().GetProperty("weights").GetString());
        Assert.Equal(8, Tokens(files.File("bf16"), "--max-tokens", "8").Length);
    }

    [Fact]
    public void Mistakes_are_one_sentence_and_leave_nothing()
    {
        using var files = new TemporaryFolder();
        string gguf = files.File("m.gguf");
        Refused("--weights is \"fp8\", but has to be one of f32, f16, bf16, q8_0, q4_0, q4_k_m for a GGUF file", samples.ModelFolder, gguf, "--weights", "fp8");
        Refused("has to be one of f32, bf16, fp8 for a Hugging Face folder (OUT does not end in .gguf)", samples.ModelFolder, files.File("m"), "--weights", "q8_0");
        Refused("There is no file none.gguf", "none.gguf", gguf);
        Refused("would be written over itself", samples.ModelFolder, samples.ModelFolder + "/");
        Refused("There is no folder", samples.ModelFolder, files.File("no/m.gguf"));
        files.Write("broken.gguf", "GGUF");
        Refused("broken.gguf: the version at byte 4 takes 4 bytes", files.File("broken.gguf"), gguf);
        Assert.Equal(["broken.gguf"], Directory.GetFileSystemEntries(files.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_stopped_conversion_leaves_nothing()
    {
        using var files = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        var run = CliRun.Watched(_ => { }, stop.Token, "convert", samples.ModelFolder, files.File("m.gguf"));
        Assert.Equal(130, run.Code);
        Assert.Empty(Directory.GetFileSystemEntries(files.Path));
    }

    private static int[] Tokens(string model, params string[] more) =>
        [.. CliRun.Of(["generate", model, "--prompt", "the number of elements", .. more.Contains("--max-tokens") ? more : [.. more, "--max-tokens", "24"], "--json"]).Json().GetProperty("tokens").EnumerateArray().Select(t => t.GetInt32())];

    private static void Refused(string message, params string[] arguments) => Assert.Contains(message, CliRun.Of(["convert", .. arguments]).Refusal(), StringComparison.Ordinal);
}
