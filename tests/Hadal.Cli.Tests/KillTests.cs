using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Model.Checkpoints;

namespace Hadal.Cli.Tests;

/// <summary>Runs that die while they write checkpoints.</summary>
public class KillTests(Samples samples)
{
    // With a step of some milliseconds and a checkpoint behind each, a run spends most of its time in writing.
    private const int Steps = 1200;

    [Fact]
    public Task A_run_that_is_killed_at_any_moment_leaves_only_whole_folders_and_goes_on_to_the_same_weights() => KillAsync(kills: 10, seed: 7);

    /// <summary>The long form: <c>dotnet run -c Release --project tests/Hadal.Cli.Tests -- -explicit only -class "*KillTests"</c>.</summary>
    [Fact(Explicit = true)]
    public Task Twenty_kills_lead_to_the_same_weights() => KillAsync(kills: 20, seed: 20);

    private async Task KillAsync(int kills, int seed)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are a thing of Unix.");
        using var folder = new TemporaryFolder();
        string output = folder.File("out"), checkpoints = Path.Combine(output, "checkpoints");
        string text = folder.Write("short.txt", Samples.Prose(600));
        string config = Config(checkpointEvery: 1);
        string[] command = ["train", "--config", config, "--out", output, "--threads", "1"];
        var random = new Random(seed);
        int newest = 0;
        for (int i = 0; i < kills; i++)
        {
            using var child = ChildProcess.Start(command);
            await Patience.UntilAsync(() => child.HasExited || Newest(checkpoints) > newest);
            await Task.Delay(random.Next(0, 60), TestContext.Current.CancellationToken);
            Assert.False(child.HasExited, "The run ended before it was killed.");
            child.Kill();
            _ = await child.FinishAsync();
            Assert.True(Newest(checkpoints) > newest, "The run did not go on.");
            newest = Newest(checkpoints);
            AssertWhole(output);
        }

        // Asked politely it stops by itself.
        using (var polite = ChildProcess.Start(command))
        {
            await Patience.UntilAsync(() => polite.HasExited || Newest(checkpoints) > newest);
            polite.Signal("TERM");
            var stopped = await polite.FinishAsync();
            Assert.True(stopped.Code == 130, stopped.Error);
            Assert.Contains("The same command goes on from there.", stopped.Error, StringComparison.Ordinal);
            AssertWhole(output);
        }

        // To the end, without checkpoints on the way: how often they are written may change.
        Config(checkpointEvery: 0);
        var finished = CliRun.Of(command);
        Assert.True(finished.Code == 0, finished.Error);
        var steps = File.ReadLines(Path.Combine(output, "metrics.jsonl")).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("step").GetInt32());
        Assert.Equal(Enumerable.Range(1, Steps), steps);
        Assert.Equal(0, CliRun.Of("inspect", Path.Combine(output, "model")).Code);

        // Byte for byte the weights of a run that nobody disturbed.
        string whole = folder.File("whole");
        Assert.Equal(0, CliRun.Of("train", "--config", config, "--out", whole, "--threads", "1").Code);
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model", "model.safetensors")), File.ReadAllBytes(Path.Combine(output, "model", "model.safetensors")));

        string Config(int checkpointEvery) => folder.Write("run.json", samples.Run(
            r => (r["steps"], r["checkpoint_every"], r["data"]) = (Steps, checkpointEvery, new JsonArray(text))));
    }

    private static void AssertWhole(string output)
    {
        foreach (string checkpoint in Directory.EnumerateDirectories(Path.Combine(output, "checkpoints"), "step-????????"))
        {
            using var model = Checkpoint.Open(Path.Combine(checkpoint, "model"));
            foreach (var tensor in model.Tensors) model.ReadSingle(tensor.Name, new float[tensor.Shape.Count]);
            using var moments = SafetensorsFile.Open(Path.Combine(checkpoint, "optimizer.safetensors"));
            Assert.NotEmpty(File.ReadAllText(Path.Combine(checkpoint, "state.json")));
        }
    }

    private static int Newest(string checkpoints)
    {
        if (!Directory.Exists(checkpoints)) return 0;
        return Directory.EnumerateDirectories(checkpoints, "step-????????").Select(d => int.Parse(Path.GetFileName(d)["step-".Length..], null)).DefaultIfEmpty(0).Max();
    }
}
