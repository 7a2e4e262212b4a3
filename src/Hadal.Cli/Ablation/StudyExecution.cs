using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;
using Hadal.Cli.Reports;
using Hadal.Cli.Wiring;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Training.Metrics;
using Hadal.Training.Runs;
using Hadal.Training.Studies;

namespace Hadal.Cli.Ablation;

/// <summary>Takes a study through its runs, each in a folder of its own that <c>hadal train</c> understands too.</summary>
internal sealed class StudyExecution
{
    /// <summary>Holds the reason why a run cannot go on; as long as it is there, the run is not tried again.</summary>
    private const string StoppedFile = "stopped.txt";

    private const int SpeedWindow = 100;

    private readonly CommandContext _context;
    private readonly Study _study;
    private readonly string _folder;
    private readonly int _threads;
    private readonly StudyRun[] _runs;
    private readonly RunFile[] _files;
    private readonly RunFolderState[] _states;
    private readonly StudyProgress _progress;
    private readonly Dictionary<string, double?> _peaks = new(StringComparer.Ordinal);

    /// <summary>Looks at all folders and checks every run before any of them begins.</summary>
    /// <param name="context">Where progress is shown and when to stop.</param>
    /// <param name="study">The study.</param>
    /// <param name="name">What to call its file in messages.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="threads">Threads that compute; 0 for one per processor.</param>
    public StudyExecution(CommandContext context, Study study, string name, string folder, int threads)
    {
        (_context, _study, _folder, _threads) = (context, study, folder, threads);
        _runs = [.. study.Runs];
        _progress = new StudyProgress(_runs);
        _files = [.. _runs.Select(r => RunFile.Of(r.Run, $"{name}, variant {r.Variant.Name}", study.Home, Path.Combine(folder, r.Folder)))];
        _states = [.. _files.Select(f => RunFolder.Look(f.Folder, f.Run))];
        int other = Array.IndexOf(_states, RunFolderState.OtherRun);
        if (other >= 0)
            throw new MistakeException($"{_files[other].Folder} belongs to a run with another model, data, batch or schedule than variant {_runs[other].Variant.Name} has now; choose another --out, or delete that folder");
    }

    /// <summary>The page.</summary>
    public string ReportFile => Path.Combine(_folder, "report.html");

    /// <summary>Runs that are neither complete nor stopped for good.</summary>
    public int Left => Enumerable.Range(0, _runs.Length).Count(i => !IsOver(i));

    /// <summary>Runs of the study.</summary>
    public IReadOnlyList<RunFile> Files => _files;

    /// <summary>Does what is left of the study; page and figures are written anew after every run.</summary>
    /// <returns>What it found.</returns>
    public StudyResult Run()
    {
        foreach (var file in _files.Take(_study.Variants.Count))
            MemoryRoom.Require(RunPlan.Of(file.Run, file.Model).MemoryBytes, "A run of the study", "a smaller model, sequence_length or micro_batch_sequences takes less");
        Directory.CreateDirectory(_folder);
        for (int i = 0; i < _runs.Length; i++)
        {
            if (IsOver(i)) _progress.Ended(i);
            TakeSpeed(i);
        }

        if (Left > 0)
        {
            using var backend = new CpuBackend(_threads);
            var corpora = new StudyCorpora(_context, _threads);
            for (int i = 0; i < _runs.Length; i++)
            {
                if (IsOver(i)) continue;
                using (var data = corpora.Open(_files[i])) Run(i, backend, data);
                Publish();
            }
        }

        return Publish();
    }

    private void Run(int index, CpuBackend backend, IRunData data)
    {
        var (run, file) = (_runs[index], _files[index]);
        using var training = new TrainingRun(
            file.Run, file.Model, file.Folder, backend, data.Training, data.Validation, data.ValidationMicroBatches,
            TokenizerFiles.Find(file.TokenizerPath, Path.Combine(file.Folder, "tokenizer")))
        {
            PeakGflops = PeakOf(file),
            Warned = sentence => _context.Say($"warning: {run.Variant.Name}, seed {run.Seed}: {sentence}"),
        };
        training.Resume();
        _progress.Done(index, file.Run.TokensAfter(training.StepsDone));
        try
        {
            using var view = LiveTrainingView.Start(_context.Error, $"{run.Variant.Name}, seed {run.Seed}", file.Run.Steps, tokens: file.Run.Tokens);
            view.Remark = Remark(index);
            var seconds = new Queue<double>();
            bool warm = false;
            training.Run(
                step =>
                {
                    // The first step of a sitting compiles and touches memory.
                    if (warm)
                    {
                        seconds.Enqueue(1 / step.TokensPerSecond);
                        if (seconds.Count > SpeedWindow) seconds.Dequeue();
                        _progress.Measured(run.Variant.Name, seconds.Average());
                    }

                    warm = true;
                    _progress.Done(index, step.Tokens);
                    view.Remark = Remark(index);
                    view.Report(step);
                },
                _context.Cancellation);
            view.Complete();
            _states[index] = RunFolderState.Complete;

            // Nobody goes on from a complete run, and three times the weights of every run would be a lot of disk.
            string checkpoints = Path.Combine(file.Folder, "checkpoints");
            if (Directory.Exists(checkpoints)) Directory.Delete(checkpoints, recursive: true);
        }
        catch (TrainingException e)
        {
            // That one variant diverges is a finding, and no reason to leave the others undone.
            AtomicFile.Write(Path.Combine(file.Folder, StoppedFile), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(e.Message + "\n")));
            _context.Say($"{run.Variant.Name}, seed {run.Seed} cannot go on: {e.Message} The study goes on without it.");
        }
        catch (OperationCanceledException)
        {
            Publish();
            throw new StoppedException(
                $"Stopped in run {index + 1} of {_runs.Length} ({run.Variant.Name}, seed {run.Seed}), after step {training.StepsDone} of {file.Run.Steps}. The same command goes on from there; "
                + $"what is known so far is in {ReportFile}.", _context.Cancellation);
        }

        _progress.Ended(index);
    }

    // Once for a precision: the machine is the same for every run.
    private double? PeakOf(RunFile file)
    {
        if (!_peaks.TryGetValue(file.Run.Precision, out double? peak)) _peaks.Add(file.Run.Precision, peak = ArithmeticPeak.Measure(file, _threads, _context.Cancellation));
        return peak;
    }

    private string Remark(int index)
    {
        string place = $"run {index + 1} of {_runs.Length}";
        return _progress.Left is { } left ? $"{place}, {Figures.Clock(left)} left of the study" : place;
    }

    private void TakeSpeed(int index)
    {
        if (Steps(index) is not { Count: > 1 } steps) return;
        double[] seconds = [.. steps.Skip(1).Select(s => 1 / s.TokensPerSecond).Where(double.IsFinite).Order()];
        if (seconds.Length > 0) _progress.Measured(_runs[index].Variant.Name, seconds[seconds.Length / 2]);
    }

    private StudyResult Publish()
    {
        var observations = Enumerable.Range(0, _runs.Length).Select(i => new StudyObservation(_runs[i], _states[i] == RunFolderState.Complete, Steps(i), Stopped(i))).ToList();
        var result = StudyResult.Of(_study, observations);
        AtomicFile.Write(Path.Combine(_folder, "results.json"), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(result.ToJson())));
        AtomicFile.Write(Path.Combine(_folder, "results.md"), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(Markdown(result))));
        StudyReport.Write(ReportFile, _study, result, observations);
        return result;
    }

    /// <summary>The table with a heading and a sentence.</summary>
    public static string Markdown(StudyResult result) => $"## {result.Title}\n\n{StudyTable.Explain(result)}\n\n{StudyTable.Of(result).ToMarkdown()}";

    private bool IsOver(int index) => _states[index] == RunFolderState.Complete || Stopped(index) is not null;

    private IReadOnlyList<StepMetrics> Steps(int index)
    {
        string file = Path.Combine(_files[index].Folder, "metrics.jsonl");
        return File.Exists(file) ? MetricsLog.Read(file) : [];
    }

    private string? Stopped(int index)
    {
        string file = Path.Combine(_files[index].Folder, StoppedFile);
        return _states[index] != RunFolderState.Complete && File.Exists(file) ? File.ReadAllText(file).Trim() : null;
    }
}
