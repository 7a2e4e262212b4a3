namespace Hadal.Cli.Tests;

/// <summary>A disk that is full in the middle of the work. A limit on the size of files stands in for it: writing behind the limit fails like writing to a full disk.</summary>
public class FullDiskTests(Samples samples)
{
    // In blocks of 1 KiB. The shell's own limit kills with a signal unless that is ignored.
    private const string SmallFiles = "trap '' XFSZ; ulimit -f ";

    [Fact]
    public async Task A_checkpoint_that_does_not_fit_is_one_sentence_and_the_checkpoint_before_stays()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limits of a Linux shell are used.");
        using var folder = new TemporaryFolder();
        string output = folder.File("out"), config = folder.Write("run.json", samples.Run(r => r["checkpoint_every"] = 1));
        string[] command = ["train", "--config", config, "--out", output, "--threads", "1"];
        using var stop = new CancellationTokenSource();
        Assert.Equal(130, CliRun.Watched(_ => stop.Cancel(), stop.Token, [.. command]).Code is 130 ? 130 : 0);
        string[] before = folder.Content();

        using var child = ChildProcess.StartLimited(SmallFiles + 16, command);
        string sentence = (await child.FinishAsync()).Refusal();
        Assert.Contains(output, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain(folder.Content(), n => n.Contains(".tmp-", StringComparison.Ordinal));
        Assert.Empty(before.Where(n => n.Contains("step-", StringComparison.Ordinal)).Except(folder.Content()));
        Assert.False(Directory.Exists(Path.Combine(output, "model")));
    }

    [Fact]
    public async Task A_trace_that_does_not_fit_leaves_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limits of a Linux shell are used.");
        using var folder = new TemporaryFolder();
        string ids = folder.Write("ids.json", "[1, 2, 3, 4]");
        using var child = ChildProcess.StartLimited(SmallFiles + 8, "trace", samples.ModelFolder, "--tokens", ids, "--out", folder.File("trace.safetensors"), "--threads", "1");
        Assert.Contains("trace.safetensors", (await child.FinishAsync()).Refusal(), StringComparison.Ordinal);
        Assert.Equal(["ids.json"], folder.Content());
    }

    [Fact]
    public async Task Token_ids_that_do_not_fit_leave_the_file_that_was_there()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limits of a Linux shell are used.");
        using var folder = new TemporaryFolder();
        string texts = folder.Write("texts.jsonl", string.Concat(Enumerable.Repeat("{\"text\":\"the number of elements in a list\"}\n", 2000)));
        string ids = folder.Write("ids.jsonl", "before");
        using var child = ChildProcess.StartLimited(SmallFiles + 4, "tokenizer", "encode", samples.TokenizerFolder, "--jsonl", texts, "--out", ids);
        _ = (await child.FinishAsync()).Refusal();
        Assert.Equal(["ids.jsonl", "texts.jsonl"], folder.Content());
        Assert.Equal("before", File.ReadAllText(ids));
    }

    [Fact]
    public async Task Standard_output_that_is_full_is_a_mistake_of_the_users_too()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "This system has no device that is always full.");
        using var child = ChildProcess.StartLimited("exec >/dev/full", "inspect", samples.ModelFolder);
        var run = await child.FinishAsync();
        Assert.Equal(2, run.Code);
        Assert.Contains("No space left on device", run.Error, StringComparison.Ordinal);
    }
}
