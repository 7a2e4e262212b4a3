using System.Globalization;
using System.Text;
using Hadal.Training.Metrics;

namespace Hadal.Cli.Monitoring;

/// <summary>A step in the text format that Prometheus reads (version 0.0.4): gauges whose names begin with <c>hadal_</c>.</summary>
internal static class MetricsPage
{
    /// <summary>The page.</summary>
    /// <param name="last">The last step; null before the first.</param>
    /// <param name="steps">Steps of the run.</param>
    /// <param name="skipped">Steps whose gradients were thrown away in this sitting.</param>
    /// <param name="validation">The last validation loss; null for none.</param>
    /// <param name="layers">Names of the expert layers.</param>
    public static string Write(StepMetrics? last, int steps, int skipped, double? validation, IReadOnlyList<string> layers)
    {
        var text = new StringBuilder();
        Gauge("planned_steps", "Steps of the run.", steps);
        Gauge("skipped_steps", "Steps since the process began whose gradients were thrown away.", skipped);
        if (last is null) return text.ToString();
        Gauge("step", "The last step done.", last.Step);
        Gauge("tokens", "Tokens trained on.", last.Tokens);
        Gauge("loss", "Total loss of the last step, nats per token.", last.Loss);
        Gauge("main_loss", "Loss of the next token in the last step, nats.", last.MainLoss);
        if (validation is { } loss) Gauge("validation_loss", "Loss of the next token on held-back text, nats.", loss);
        Gauge("grad_norm", "Global gradient norm before clipping.", last.GradNorm);
        Gauge("learning_rate", "Learning rate of the last step.", last.LearningRate);
        Gauge("tokens_per_second", "Tokens trained on per second in the last step.", last.TokensPerSecond);
        if (last.ModelFlopsUtilization is { } mfu) Gauge("mfu", "Model FLOPs per second over those of the measured matrix product.", mfu);
        if (last.MaxViolation.Length == 0) return text.ToString();
        Head("max_violation", "Largest load of an expert over an even share, less 1.");
        for (int l = 0; l < last.MaxViolation.Length; l++)
            text.Append(CultureInfo.InvariantCulture, $"hadal_max_violation{{layer=\"{(l < layers.Count ? layers[l] : l.ToString(CultureInfo.InvariantCulture))}\"}} {Spelled(last.MaxViolation[l])}\n");
        return text.ToString();

        void Gauge(string name, string help, double value)
        {
            Head(name, help);
            text.Append(CultureInfo.InvariantCulture, $"hadal_{name} {Spelled(value)}\n");
        }

        void Head(string name, string help) => text.Append(CultureInfo.InvariantCulture, $"# HELP hadal_{name} {help}\n# TYPE hadal_{name} gauge\n");
    }

    // As the format has it: NaN, +Inf, -Inf.
    private static string Spelled(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
