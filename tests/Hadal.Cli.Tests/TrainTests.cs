using System.Text.Json;
using Hadal.Cli.Wiring;
using Hadal.Data.Sources;

namespace Hadal.Cli.Tests;

public class TrainTests(Samples samples)
{
    [Fact]
    public void A_run_leaves_its_run_file_metrics_and_a_model_that_can_be_used()
    {
        using var folder = new TemporaryFolder();
        string output = folder.File("out");
        var run = CliRun.Of("train", "--config", samples.RunFile, "--out", output, "--threads", "1");
        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("The model is in " + Path.Combine(output, "model"), run.Out, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3, 4, 5, 6], Metrics(output).Select(m => m.GetProperty("step").GetInt32()));
        Assert.Equal(2, JsonDocument.Parse(File.ReadAllBytes(Path.Combine(output, "run.json"))).RootElement.GetProperty("keep_checkpoints").GetInt32());
        string model = Path.Combine(output, "model");
        Assert.Equal(0, CliRun.Of("inspect", model).Code);
        var text = CliRun.Of("generate", model, "--prompt", "the list", "--max-tokens", "3", "--threads", "1", "--json").Json();
        Assert.Equal(3, text.GetProperty("tokens").GetArrayLength());
    }

    [Fact]
    public void The_same_command_again_says_that_the_run_is_complete()
    {
        using var folder = new TemporaryFolder();
        string[] command = ["train", "--config", samples.RunFile, "--out", folder.File("out"), "--threads", "1"];
        var first = CliRun.Of(command);
        byte[] metrics = File.ReadAllBytes(folder.File("out", "metrics.jsonl"));
        var second = CliRun.Of(command);
        Assert.Equal((0, first.Out), (second.Code, second.Out));
        Assert.Contains("This run is complete: 6 of 6 steps.", second.Error, StringComparison.Ordinal);
        Assert.Equal(metrics, File.ReadAllBytes(folder.File("out", "metrics.jsonl")));
    }

    [Fact]
    public void A_stopped_run_says_what_was_kept_and_the_same_command_goes_on_to_the_same_numbers()
    {
        using var folder = new TemporaryFolder();
        string whole = folder.File("whole"), parts = folder.File("parts");
        Assert.Equal(0, CliRun.Of("train", "--config", samples.RunFile, "--out", whole, "--threads", "1").Code);

        using var stop = new CancellationTokenSource();
        string[] command = ["train", "--config", samples.RunFile, "--out", parts, "--threads", "1"];
        var stopped = CliRun.Watched(
            line =>
            {
                if (line.StartsWith("step ", StringComparison.Ordinal)) stop.Cancel();
            },
            stop.Token, command);
        Assert.Equal((130, ""), (stopped.Code, stopped.Out));
        int done = Metrics(parts).Length;
        Assert.InRange(done, 1, 5);
        Assert.EndsWith($"Stopped after step {done} of 6; a checkpoint is in {Path.Combine(parts, "checkpoints")}. The same command goes on from there.\n", stopped.Error, StringComparison.Ordinal);

        var resumed = CliRun.Of([.. command, "--resume"]);
        Assert.True(resumed.Code == 0, resumed.Error);
        Assert.Contains($"Going on behind step {done} of 6.", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(Metrics(whole).Select(m => m.GetProperty("loss").GetDouble()), Metrics(parts).Select(m => m.GetProperty("loss").GetDouble()));
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model", "model.safetensors")), File.ReadAllBytes(Path.Combine(parts, "model", "model.safetensors")));
    }

    [Fact]
    public void Resume_insists_on_a_checkpoint()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("has no checkpoint to go on from",
            CliRun.Of("train", "--config", samples.RunFile, "--out", folder.File("out"), "--resume", "--threads", "1").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_of_another_run_is_refused_and_left_alone()
    {
        using var folder = new TemporaryFolder();
        string output = folder.File("out");
        Assert.Equal(0, CliRun.Of("train", "--config", samples.RunFile, "--out", output, "--threads", "1").Code);
        string[] before = folder.Content();
        string other = folder.Write("other.json", samples.Run(r => r["seed"] = 6));
        Assert.Contains("belongs to a run with another", CliRun.Of("train", "--config", other, "--out", output, "--threads", "1").Refusal(), StringComparison.Ordinal);
        Assert.Equal(before, folder.Content().Where(n => n != "other.json"));
    }

    [Fact]
    public void Paths_of_a_run_file_are_relative_to_it_and_its_copy_in_the_run_folder_works_too()
    {
        using var folder = new TemporaryFolder();
        File.Copy(samples.Text, folder.File("corpus.txt"));
        string tokenizer = Path.Combine(samples.TokenizerFolder, "tokenizer.json");
        File.Copy(tokenizer, folder.File("my-tokenizer.json"));
        string run = folder.Write("run.json", samples.Run(r => (r["tokenizer"], r["data"], r["steps"]) = ("my-tokenizer.json", new System.Text.Json.Nodes.JsonArray("corpus.txt"), 1)));
        Assert.True(CliRun.Of("train", "--config", run, "--out", folder.File("a", "out"), "--threads", "1") is { Code: 0 });
        var again = CliRun.Of("train", "--config", folder.File("a", "out", "run.json"), "--out", folder.File("a", "out"), "--threads", "1");
        Assert.Contains("This run is complete", again.Error, StringComparison.Ordinal);
        Assert.True(CliRun.Of("train", "--config", folder.File("a", "out", "run.json"), "--out", folder.File("b"), "--threads", "1") is { Code: 0 });
        Assert.Equal(File.ReadAllBytes(tokenizer), File.ReadAllBytes(folder.File("b", "model", "tokenizer.json")));
    }

    [Fact]
    public void The_documentation_of_the_SDK_is_a_source_with_a_name_among_others()
    {
        Assert.SkipUnless(CliRun.Of("doctor").Code == 0, "There is no documentation on this machine.");
        string folder = Path.GetDirectoryName(samples.Text)!, file = Path.GetFileName(samples.Text);
        var sources = TrainingText.Open([file, "dotnet-documentation", file, file], folder);
        Assert.Equal([samples.Text, DotnetDocumentation.Locate().Description, $"2 files in {samples.Text}, {samples.Text}"], sources.Select(s => s.Description));
    }

    private static JsonElement[] Metrics(string output) => [.. File.ReadLines(Path.Combine(output, "metrics.jsonl")).Select(l => JsonDocument.Parse(l).RootElement)];
}
