using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hadal.Cli.Tests;

/// <summary><c>hadal train</c> over ranks: threads of one process, and processes that mpirun started.</summary>
public class ParallelTrainTests(Samples samples)
{
    private static readonly string[] _launcher = ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"];

    [Fact]
    public async Task Processes_under_mpirun_have_the_losses_of_threads_and_those_of_one_rank_but_for_the_last_bits()
    {
        RequireMpi();
        using var folder = new TemporaryFolder();
        string[] one = Train(folder, "one", null), threads = Train(folder, "threads", Layout("dualpipe", 2, 2)), processes = Train(folder, "processes", Layout("dualpipe", 2, 2));
        Assert.Equal(0, CliRun.Of(one).Code);
        var inProcess = CliRun.Of(threads);
        Assert.True(inProcess.Code == 0, inProcess.Error);
        using var job = ChildProcess.StartRanks(_launcher, 4, processes);
        var ended = await job.FinishAsync();
        Assert.True(ended.Code == 0, ended.Error);
        Assert.Contains("4 ranks: dualpipe over 2, experts over 2, data over 1.", ended.Error, StringComparison.Ordinal);
        Assert.Equal(Losses(folder.File("threads")), Losses(folder.File("processes")));
        Assert.Equal(Losses(folder.File("one")).Length, Losses(folder.File("threads")).Length);
        Assert.All(Losses(folder.File("one")).Zip(Losses(folder.File("threads"))), p => Assert.Equal(p.First, p.Second, 1e-5));
        Assert.Equal(0, CliRun.Of("generate", Path.Combine(folder.File("processes"), "model"), "--prompt", "The", "--max-tokens", "2").Code);
    }

    [Fact]
    public async Task A_rank_that_is_killed_is_named_and_the_run_goes_on_on_fewer_and_on_more_ranks()
    {
        RequireMpi();
        using var folder = new TemporaryFolder();
        const int Steps = 30;
        string output = folder.File("out"), checkpoints = Path.Combine(output, "checkpoints");
        Assert.Equal(0, CliRun.Of(Train(folder, "whole", null, Steps)).Code);
        using (var job = ChildProcess.StartRanks(_launcher, 4, Train(folder, "out", Layout("1f1b", 2, 2), Steps)))
        {
            await Patience.UntilAsync(() => job.HasExited || Newest() >= 3);
            Assert.False(job.HasExited, "The run ended before it was killed.");
            int victim = job.Ranks()[2];
            ChildProcess.Kill(victim);
            long killed = Environment.TickCount64;
            var ended = await job.FinishAsync();
            Assert.NotEqual(0, ended.Code);
            Assert.Matches("rank 2", ended.Error + ended.Out);
            Assert.True(Environment.TickCount64 - killed < 30_000, "The others did not stop within 30 s.");
        }

        // On fewer ranks, stopped politely; on more, to the end.
        int before = Newest();
        using (var alone = ChildProcess.Start(Train(folder, "out", null, Steps)))
        {
            await Patience.UntilAsync(() => alone.HasExited || Newest() > before);
            alone.Signal("TERM");
            Assert.Equal(130, (await alone.FinishAsync()).Code);
        }

        var last = CliRun.Of(Train(folder, "out", Layout("zb1p", 2, 4), Steps));
        Assert.True(last.Code == 0, last.Error);
        Assert.Contains("Going on behind step", last.Error, StringComparison.Ordinal);
        var (expected, actual) = (Losses(folder.File("whole")), Losses(output));
        Assert.Equal(Steps, actual.Length);
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 1e-4));

        int Newest() => Directory.Exists(checkpoints)
            ? Directory.EnumerateDirectories(checkpoints, "step-????????").Select(d => int.Parse(Path.GetFileName(d)[5..], System.Globalization.CultureInfo.InvariantCulture)).DefaultIfEmpty(0).Max()
            : 0;
    }

    [Theory]
    [InlineData("dualpipe", 1, 2, "even number of ranks")]
    [InlineData("1f1b", 8, 1, "layers")]
    [InlineData("1f1b", 1, 3, "n_routed_experts")]
    [InlineData("gpipe", 2, 1, "1f1b, zb1p, dualpipe or dualpipev")]
    public void Layouts_that_cannot_be_are_refused_with_what_would_be_right(string schedule, int pipeline, int experts, string part)
    {
        using var folder = new TemporaryFolder();
        var refused = CliRun.Of(Train(folder, "out", Layout(schedule, pipeline, experts)));
        Assert.True(refused.Code == 2, refused.Error);
        Assert.Contains(part, refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Error, StringComparison.Ordinal);
    }

    private string[] Train(TemporaryFolder folder, string name, JsonObject? layout, int steps = 4)
    {
        // Slow and small steps: what differs in the last bits stays small.
        string config = folder.Write(name + ".json", samples.Run(r =>
        {
            (r["steps"], r["checkpoint_every"], r["micro_batch_sequences"], r["batch_sequences"]) = (steps, 1, 1, 24);
            r["optimizer"] = new JsonObject { ["learning_rate"] = 1e-4, ["final_learning_rate"] = 1e-4 };
            if (layout is not null) r["parallel"] = layout;
        }));
        return ["train", "--config", config, "--out", folder.File(name), "--threads", "1"];
    }

    private static JsonObject Layout(string schedule, int pipeline, int experts) => new() { ["schedule"] = schedule, ["pipeline"] = pipeline, ["experts"] = experts };

    private static double[] Losses(string run) =>
        [.. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("loss").GetDouble())];

    private static void RequireMpi() => Assert.SkipUnless(File.Exists("/usr/bin/mpirun.openmpi"), "Open MPI (Debian: openmpi-bin, libopenmpi3) is not installed; scripts/install-optional.sh installs it.");
}
