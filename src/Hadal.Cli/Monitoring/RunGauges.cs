using Hadal.Cli.Drawing;
using Hadal.Cli.Wiring;
using Hadal.Training.Metrics;

namespace Hadal.Cli.Monitoring;

/// <summary>The gauges of a run under way: written by the run, read by whoever asks.</summary>
/// <param name="file">The run.</param>
internal sealed class RunGauges(RunFile file)
{
    private readonly Lock _gate = new();
    private StepMetrics? _last;
    private double? _validation;
    private int _skipped;

    /// <summary>Takes a step.</summary>
    public void Report(StepMetrics step)
    {
        lock (_gate)
        {
            _last = step;
            _validation = step.ValidationLoss ?? _validation;
            if (step.Skipped is not null) _skipped++;
        }
    }

    /// <summary>The page.</summary>
    public string Page()
    {
        lock (_gate)
        {
            string[] layers = _last is null ? [] : ExpertLayers.Names(_last.MaxViolation.Length, _last.MtpLoss.Length, file.Model.DenseLayers);
            return MetricsPage.Write(_last, file.Run.Steps, _skipped, _validation, layers);
        }
    }
}
