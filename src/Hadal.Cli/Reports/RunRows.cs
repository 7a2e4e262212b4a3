using System.Globalization;
using Hadal.Cli.Drawing;
using Hadal.Model.Configuration;
using Hadal.Training.Runs;

namespace Hadal.Cli.Reports;

/// <summary>A run's model and settings as rows of a report.</summary>
internal static class RunRows
{
    /// <summary>The shape of a model.</summary>
    public static IReadOnlyList<ReportRow> Shape(ModelConfig model) =>
    [
        new("Layers", Whole(model.Layers), $"{model.DenseLayers} dense, {model.ExpertLayers} with experts"),
        new("Width", Whole(model.HiddenSize)),
        new("Attention heads", Whole(model.Heads), $"{model.NopeWidth} + {model.RopeWidth} rotary columns for keys, {model.ValueWidth} for values"),
        new("Query latent, key-value latent", $"{model.QueryLatentRank}, {model.LatentRank}", $"{Figures.Bytes(model.CacheBytesPerToken)} of cache per token in BF16"),
        new("Routed experts", $"{model.RoutedExperts} of width {model.ExpertWidth}", $"{model.ExpertsPerToken} per token, from {model.KeptGroups} of {model.Groups} groups"),
        new("Shared experts", Whole(model.SharedExperts)),
        new("MTP modules", Whole(model.MtpLayers), "each predicts one token further ahead"),
        new("Vocabulary", Figures.Whole(model.VocabularySize)),
    ];

    /// <summary>What matters most of the settings of a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="steps">Steps done.</param>
    public static IReadOnlyList<ReportRow> Settings(RunConfig run, int steps) =>
    [
        new("Steps", Figures.Whole(steps), $"{Figures.Whole(run.TokensPerStep)} tokens each"),
        new("Sequence length", Whole(run.SequenceLength)),
        new("Peak learning rate", run.Optimizer.LearningRate.ToString(CultureInfo.InvariantCulture), "AdamW, cosine decay"),
        new("λ, weight of the MTP loss", run.MtpWeight.ToString(CultureInfo.InvariantCulture)),
        new("α, weight of the balance loss", run.BalanceWeight.ToString(CultureInfo.InvariantCulture)),
        new("γ, step of the router biases", run.BiasUpdateRate.ToString(CultureInfo.InvariantCulture)),
        new("Seed", run.Seed.ToString(CultureInfo.InvariantCulture)),
        new("Precision", run.Precision),
        new("Balance", run.Balance),
    ];

    private static string Whole(int number) => number.ToString(CultureInfo.InvariantCulture);
}
