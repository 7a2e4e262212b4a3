using System.CommandLine;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Monitoring;
using Hadal.Cli.Output;
using Hadal.Cli.Wiring;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal watch</c>: looks at a run that another process trains.</summary>
internal sealed class WatchCommand : HadalCommand
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(300);
    private readonly Argument<string> _run = new("RUN") { Description = "The folder of a run, the --out of hadal train." };
    private readonly Option<bool> _once = new("--once") { Description = "Show where the run stands and end. (So does --json.)" };

    public WatchCommand()
        : base("watch", "Watch a run that another terminal trains: on a screen the picture that hadal train shows, elsewhere a line a step. Ends when the run does.",
            "hadal watch runs/first", "hadal watch runs/first --once", "hadal watch runs/first --json")
    {
        Arguments.Add(_run);
        Options.Add(_once);
    }

    protected override async Task<int> RunAsync(CommandContext context)
    {
        var record = RunRecord.Open([context.Get(_run)])[0];
        var status = RunStatus.Of(record);
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, status.ToJson(record.Folder));
        }
        else if (context.Get(_once) || status.State != "running")
        {
            status.Write(context, record.Name);
        }
        else
        {
            await FollowAsync(context, record).ConfigureAwait(false);
        }

        return ExitCodes.Success;
    }

    private static async Task FollowAsync(CommandContext context, RunRecord record)
    {
        var follower = new MetricsFollower(Path.Combine(record.Folder, "metrics.jsonl"));
        var steps = new List<StepMetrics>(follower.Look());
        RunStatus status;
        using (var view = LiveTrainingView.StartFollowing(context.Out, $"watching {record.Name}", record.Run.Steps, record.Run.Tokens))
        {
            view.Before = RunStatus.Of(record, "running", steps).Elapsed;
            foreach (var step in steps.SkipLast(1)) view.Recall(step);
            if (steps.Count > 0) Show(steps[^1]);
            while (true)
            {
                // In this order: what is written between the two looks is seen by the second.
                bool training = RunFolder.IsTraining(record.Folder);
                foreach (var step in follower.Look())
                {
                    steps.RemoveAll(s => s.Step >= step.Step);
                    steps.Add(step);
                    Show(step);
                }

                if (!training) break;
                try
                {
                    await Task.Delay(_pause, context.Cancellation).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    view.Leave();
                    throw new StoppedException($"No longer watching; {record.Name} goes on.", context.Cancellation);
                }
            }

            status = RunStatus.Of(record, record.State, steps);
            if (status.State == "complete") view.Complete();

            void Show(StepMetrics step)
            {
                view.SecondsPerToken = RunStatus.Of(record, "running", steps).SecondsPerToken;
                view.Report(step);
            }
        }

        context.Streams.Out.WriteLine(status.Sentence(record.Name));
    }
}
