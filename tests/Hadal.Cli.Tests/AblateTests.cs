using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hadal.Cli.Tests;

public class AblateTests(Samples samples)
{
    [Fact]
    public void A_study_trains_every_variant_with_every_seed_on_the_same_text_and_writes_page_table_and_figures()
    {
        using var folder = new TemporaryFolder();
        string study = Write(folder), output = folder.File("study");
        var run = CliRun.Of("ablate", study, "--out", output, "--threads", "1", "--json");
        var result = run.Json();

        Assert.Equal((4, 4), (result.GetProperty("runs").GetInt32(), result.GetProperty("complete_runs").GetInt32()));
        Assert.Equal(File.ReadAllText(Path.Combine(output, "results.json")), run.Out);
        string[] configs = [.. from variant in (string[])["0", "0.3"] from seed in (string[])["seed-5", "seed-6"] select Path.Combine(output, "runs", variant, seed, "run.json")];
        var runs = configs.Select(c => JsonDocument.Parse(File.ReadAllBytes(c)).RootElement).ToList();
        Assert.Equal([0, 0, 0.3, 0.3], runs.Select(r => r.GetProperty("mtp_weight").GetDouble()));
        Assert.Equal([5, 6, 5, 6], runs.Select(r => r.GetProperty("seed").GetInt32()));
        Assert.All(runs, r => Assert.Equal(5, r.GetProperty("split_seed").GetInt32()));

        // Checked against the runs' own logs: the spread of the final validation losses, and the difference paired by seed.
        double[] losses = [.. configs.Select(c => Final(Path.GetDirectoryName(c)!))];
        var (plain, weighted) = (result.GetProperty("variants")[0], result.GetProperty("variants")[1]);
        Assert.Equal((losses[0] + losses[1]) / 2, plain.GetProperty("validation_loss").GetProperty("mean").GetDouble(), 12);
        Assert.Equal(((losses[2] / losses[0]) + (losses[3] / losses[1])) / 2 - 1, weighted.GetProperty("validation_difference").GetProperty("mean").GetDouble(), 12);
        Assert.Equal(JsonValueKind.Null, plain.GetProperty("validation_difference").ValueKind);
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(Path.Combine(output, "report.html")), StringComparison.Ordinal);

        // Complete runs are not run again; checkpoints that nobody needs any more are gone.
        Assert.All(configs, c => Assert.False(Directory.Exists(Path.Combine(Path.GetDirectoryName(c)!, "checkpoints"))));
        string[] before = folder.Content();
        var again = CliRun.Of("ablate", study, "--out", output, "--threads", "1", "--markdown");
        Assert.Equal(File.ReadAllText(Path.Combine(output, "results.md")), again.Out);
        Assert.Contains("| mtp_weight | validation loss | against baseline |", again.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("step ", again.Error, StringComparison.Ordinal);
        Assert.Equal(before, folder.Content());

        // A run of a study is a run like any other.
        string first = Path.GetDirectoryName(configs[0])!;
        Assert.Contains("This run is complete", CliRun.Of("train", "--config", configs[0], "--out", first, "--threads", "1").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stopped_study_goes_on_to_the_numbers_of_one_that_was_not()
    {
        using var folder = new TemporaryFolder();
        string study = Write(folder), whole = folder.File("whole"), parts = folder.File("parts");
        Assert.Equal(0, CliRun.Of("ablate", study, "--out", whole, "--threads", "1").Code);

        using var stop = new CancellationTokenSource();
        string[] command = ["ablate", study, "--out", parts, "--threads", "1"];
        var stopped = CliRun.Watched(
            line =>
            {
                if (line.Contains("(run 2 of 4", StringComparison.Ordinal)) stop.Cancel();
            },
            stop.Token, command);
        Assert.Equal((130, ""), (stopped.Code, stopped.Out));
        Assert.Contains("Stopped in run 2 of 4 (0.3, seed 5), after step 1 of 6.", stopped.Error, StringComparison.Ordinal);
        Assert.Contains("So far 1 of 4 runs are complete.", File.ReadAllText(Path.Combine(parts, "report.html")), StringComparison.Ordinal);

        Assert.Equal(0, CliRun.Of(command).Code);
        Assert.Equal(Losses(whole), Losses(parts));

        double[] Losses(string output) => [.. from v in (string[])["0", "0.3"] from s in (string[])["seed-5", "seed-6"] select Final(Path.Combine(output, "runs", v, s))];
    }

    [Fact]
    public void A_variant_that_cannot_go_on_is_told_and_the_others_are_run()
    {
        using var folder = new TemporaryFolder();
        string study = folder.Write("study.json", new JsonObject
        {
            ["run"] = JsonNode.Parse(samples.Run(r => (r["spike_factor"], r["spike_window"], r["on_spike"], r["optimizer"]) = (0, 1, "stop", new JsonObject { ["clip_norm"] = 0, ["warmup_steps"] = 0 }))),
            ["variants"] = new JsonObject { ["calm"] = new JsonObject(), ["wild"] = new JsonObject { ["spike_factor"] = 1.0000001 } },
            ["seeds"] = new JsonArray(5),
        }.ToJsonString());
        var run = CliRun.Of("ablate", study, "--out", folder.File("study"), "--threads", "1", "--json");
        var wild = run.Json().GetProperty("variants")[1];
        Assert.Equal(1, wild.GetProperty("diverged").GetInt32());
        Assert.Contains("on_spike is stop", wild.GetProperty("runs")[0].GetProperty("stopped").GetString(), StringComparison.Ordinal);
        Assert.True(run.Json().GetProperty("variants")[0].GetProperty("runs")[0].GetProperty("complete").GetBoolean());
        Assert.Contains("wild, seed 5 cannot go on", run.Error, StringComparison.Ordinal);

        // Not tried again.
        var again = CliRun.Of("ablate", study, "--out", folder.File("study"), "--threads", "1", "--json");
        Assert.Equal(run.Out, again.Out);
        Assert.DoesNotContain("cannot go on", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_computes_nothing()
    {
        using var folder = new TemporaryFolder();
        string study = Write(folder);
        var run = CliRun.Of("ablate", study, "--out", folder.File("study"), "--dry-run");
        Assert.StartsWith("4 runs, 4 of them to do: 2 variants, seeds 5, 6\n", run.Out, StringComparison.Ordinal);
        Assert.Equal(["study.json"], folder.Content());
    }

    [Fact]
    public void Folders_of_other_runs_are_left_alone()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, CliRun.Of("train", "--config", samples.RunFile, "--out", folder.File("study", "runs", "0.3", "seed-6"), "--threads", "1").Code);
        Assert.Contains("than variant 0.3 has now", CliRun.Of("ablate", Write(folder), "--out", folder.File("study"), "--threads", "1").Refusal(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("study", "runs", "0")));
    }

    private string Write(TemporaryFolder folder) => folder.Write("study.json", new JsonObject
    {
        ["run"] = JsonNode.Parse(samples.Run(_ => { })),
        ["vary"] = "mtp_weight",
        ["values"] = new JsonArray(0, 0.3),
        ["seeds"] = new JsonArray(5, 6),
        ["band_percent"] = 0.25,
    }.ToJsonString());

    private static double Final(string run) =>
        JsonDocument.Parse(File.ReadLines(Path.Combine(run, "metrics.jsonl")).Last()).RootElement.GetProperty("validation_loss").GetDouble();
}
