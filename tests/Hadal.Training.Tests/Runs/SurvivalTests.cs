using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Runs;

/// <summary>Writing beside the training, disks that refuse, data that vanishes, clocks that jump.</summary>
public sealed class SurvivalTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hadal-survival-").FullName;
    private readonly CpuBackend _backend = new(1);
    private readonly List<string> _warnings = [];

    private string Checkpoints => Path.Combine(_folder, "checkpoints");

    public void Dispose()
    {
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Steps_go_on_while_a_slow_writer_writes_what_was_there_when_it_began()
    {
        using var run = Start(TinyRun.Run with { Steps = 6, CheckpointEvery = 3, KeepCheckpoints = 5 });
        using var gate = new ManualResetEventSlim();
        run.Checkpoints.Writing = _ => gate.Wait(TestContext.Current.CancellationToken);
        run.Run(
            m =>
            {
                // Two more steps are done while nothing of the checkpoint is written.
                if (m.Step is 4 or 5) Assert.Empty(Names());
                if (m.Step == 5) gate.Set();
            },
            CancellationToken.None);
        Assert.Equal(["step-00000003"], Names());
        using var again = Start(TinyRun.Run with { Steps = 6, CheckpointEvery = 0 });
        Assert.True(again.Resume());
        Assert.Equal(3, again.StepsDone);
        byte[] expected = File.ReadAllBytes(Path.Combine(_folder, "model", "model.safetensors"));
        again.Run(null, CancellationToken.None);
        Assert.Equal(expected, File.ReadAllBytes(Path.Combine(_folder, "model", "model.safetensors")));
    }

    [Fact]
    public void At_most_one_checkpoint_is_under_way_and_none_is_left_out()
    {
        using var run = Start(TinyRun.Run with { Steps = 6, CheckpointEvery = 1, KeepCheckpoints = 9 });
        int writing = 0, most = 0;
        run.Checkpoints.Writing = step =>
        {
            most = Math.Max(most, Interlocked.Increment(ref writing));
            Thread.Sleep(20);
            Interlocked.Decrement(ref writing);
        };
        run.Run(null, CancellationToken.None);
        Assert.Equal(1, most);
        Assert.Equal([1, 2, 3, 4, 5], Names().Select(n => int.Parse(n[^8..], null)));
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_is_a_warning_and_the_next_one_is_tried()
    {
        // A file under the name of the checkpoint refuses it as a full disk does.
        Directory.CreateDirectory(Checkpoints);
        File.WriteAllText(Path.Combine(Checkpoints, "step-00000002"), "in the way");
        using var run = Start(TinyRun.Run with { CheckpointEvery = 2 });
        run.Run(null, CancellationToken.None);
        string warning = Assert.Single(_warnings);
        Assert.Contains("step-00000002", warning, StringComparison.Ordinal);
        Assert.Contains("the run goes on", warning, StringComparison.Ordinal);
        Assert.Equal(["step-00000004"], Names());
        Assert.Equal(2, Directory.EnumerateFileSystemEntries(Checkpoints).Count(p => !p.EndsWith(".lock", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_checkpoint_of_a_stop_that_cannot_be_written_is_an_error()
    {
        Directory.CreateDirectory(Checkpoints);
        File.WriteAllText(Path.Combine(Checkpoints, "step-00000003"), "in the way");
        using var source = new CancellationTokenSource();
        using var run = Start(TinyRun.Run);
        var e = Assert.Throws<CheckpointException>(() => run.Run(m => Cancel(m), source.Token));
        Assert.Contains("a file of that name is in the way", e.Message, StringComparison.Ordinal);

        void Cancel(StepMetrics m)
        {
            if (m.Step == 3) source.Cancel();
        }
    }

    [Fact]
    public void Data_that_vanishes_in_the_middle_of_a_step_costs_no_step()
    {
        string shard = Path.Combine(_folder, "shard.bin"), output = Path.Combine(_folder, "out"), whole = Path.Combine(_folder, "whole");
        File.WriteAllText(shard, "data");
        using (var run = Start(TinyRun.Run, new Shard(shard, long.MaxValue), whole)) run.Run(null, CancellationToken.None);
        using (var run = Start(TinyRun.Run, new Shard(shard, 4), output))
        {
            string message = Assert.Throws<TrainingException>(() => run.Run(null, CancellationToken.None)).Message;
            Assert.Contains("The batch of step 4 cannot be read", message, StringComparison.Ordinal);
            Assert.Contains(shard, message, StringComparison.Ordinal);
            Assert.Contains("A checkpoint of step 3 is in", message, StringComparison.Ordinal);
        }

        File.WriteAllText(shard, "data");
        using (var run = Start(TinyRun.Run, new Shard(shard, long.MaxValue), output))
        {
            Assert.True(run.Resume());
            Assert.Equal(3, run.StepsDone);
            run.Run(null, CancellationToken.None);
        }

        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model", "model.safetensors")), File.ReadAllBytes(Path.Combine(output, "model", "model.safetensors")));
    }

    [Fact]
    public void A_complete_run_is_known_as_complete_whatever_the_clock_said_while_it_was_written()
    {
        using (var run = Start(TinyRun.Run)) run.Run(null, CancellationToken.None);
        Assert.Equal(RunFolderState.Complete, RunFolder.Look(_folder, TinyRun.Run));

        // The clock was set back by a day between the last step and the model.
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "metrics.jsonl"), DateTime.UtcNow.AddDays(1));
        Assert.Equal(RunFolderState.Complete, RunFolder.Look(_folder, TinyRun.Run));
        File.Delete(Path.Combine(_folder, "model", "training.json"));
        Assert.Equal(RunFolderState.Begun, RunFolder.Look(_folder, TinyRun.Run));
    }

    [Fact]
    public void A_clock_that_jumps_back_does_not_change_which_checkpoint_is_the_newest()
    {
        using (var run = Start(TinyRun.Run with { CheckpointEvery = 2 })) run.Run(null, CancellationToken.None);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Checkpoints, "step-00000004"), "*", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, new DateTime(1999, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Directory.SetLastWriteTimeUtc(Path.Combine(Checkpoints, "step-00000004"), new DateTime(1999, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        using var again = Start(TinyRun.Run with { CheckpointEvery = 2 });
        Assert.True(again.Resume());
        Assert.Equal(4, again.StepsDone);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void A_time_limit_of_nothing_ends_behind_the_first_step()
    {
        using var run = Start(TinyRun.Run);
        run.TimeLimit = TimeSpan.Zero;
        Assert.Equal(1, run.Run(null, CancellationToken.None).Step);
    }

    private string[] Names() => Directory.Exists(Checkpoints)
        ? [.. Directory.EnumerateDirectories(Checkpoints).Select(p => Path.GetFileName(p)).Where(n => n.Length == 13).Order(StringComparer.Ordinal)]
        : [];

    private TrainingRun Start(RunConfig config, IBatchSource? source = null, string? folder = null) =>
        new(config, TinyRun.Config, folder ?? _folder, _backend, source ?? new TinyRun.Counting(), null, 0, []) { Warned = _warnings.Add };

    /// <summary>A file that has to be there for every batch, and vanishes between two micro-batches.</summary>
    private sealed class Shard(string path, long vanishes) : IBatchSource
    {
        public void Fill(long stepNumber, int microBatch, PackedBatch batch)
        {
            if (stepNumber == vanishes && microBatch == 1) File.Delete(path);
            _ = File.ReadAllText(path);
            new TinyRun.Counting().Fill(stepNumber, microBatch, batch);
        }
    }
}
