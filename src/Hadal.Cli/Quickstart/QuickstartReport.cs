using System.Globalization;
using Hadal.Cli.Drawing;
using Hadal.Cli.Reports;

namespace Hadal.Cli.Quickstart;

/// <summary>A quickstart's findings as the data of its report page.</summary>
internal static class QuickstartReport
{
    public static void Write(string path, QuickstartResult result, string corpus, string command)
    {
        var model = result.Model;
        TrainingReport.Write(path, new TrainingReportData
        {
            Title = "Hadal quickstart",
            Corpus = corpus,
            Steps = result.Steps,
            Elapsed = result.TrainingTime,
            Parameters = model.ParameterCount + model.MtpParameterCount,
            ActiveParameters = model.ActiveParameterCount,
            ValidationLoss = result.ValidationLoss,
            BigramLoss = result.BigramLoss,
            AcceptanceRate = result.AcceptanceRate,
            DecodeTokensPerSecond = result.Samples.Average(s => s.TokensPerSecond),
            DecodeTokensPerSecondSpeculative = result.Samples.Average(s => s.TokensPerSecondSpeculative),
            FirstExpertLayer = model.DenseLayers,
            Samples =
            [
                .. result.Samples.Select(s => new ReportSample
                {
                    Prompt = s.Prompt,
                    Text = s.Text,
                    TextSpeculative = s.TextSpeculative,
                    AcceptanceRate = s.AcceptanceRate,
                    TokensPerSecond = s.TokensPerSecond,
                    TokensPerSecondSpeculative = s.TokensPerSecondSpeculative,
                }),
            ],
            Shape =
            [
                new("Layers", Whole(model.Layers), $"{model.DenseLayers} dense, {model.ExpertLayers} with experts"),
                new("Width", Whole(model.HiddenSize)),
                new("Attention heads", Whole(model.Heads), $"{model.NopeWidth} + {model.RopeWidth} rotary columns for keys, {model.ValueWidth} for values"),
                new("Query latent, key-value latent", $"{model.QueryLatentRank}, {model.LatentRank}", $"{Figures.Bytes(model.CacheBytesPerToken)} of cache per token in BF16"),
                new("Routed experts", $"{model.RoutedExperts} of width {model.ExpertWidth}", $"{model.ExpertsPerToken} per token, from {model.KeptGroups} of {model.Groups} groups"),
                new("Shared experts", Whole(model.SharedExperts)),
                new("MTP modules", Whole(model.MtpLayers), "each predicts one token further ahead"),
                new("Vocabulary", Figures.Whole(model.VocabularySize)),
            ],
            Settings =
            [
                new("Steps", Figures.Whole(result.Last.Step), $"{Figures.Whole(result.Run.TokensPerStep)} tokens each"),
                new("Sequence length", Whole(result.Run.SequenceLength)),
                new("Peak learning rate", result.Run.Optimizer.LearningRate.ToString(CultureInfo.InvariantCulture), "AdamW, cosine decay"),
                new("λ, weight of the MTP loss", result.Run.MtpWeight.ToString(CultureInfo.InvariantCulture)),
                new("α, weight of the balance loss", result.Run.BalanceWeight.ToString(CultureInfo.InvariantCulture)),
                new("γ, step of the router biases", result.Run.BiasUpdateRate.ToString(CultureInfo.InvariantCulture)),
                new("Seed", result.Run.Seed.ToString(CultureInfo.InvariantCulture)),
            ],
            Command = command,
        });
    }

    private static string Whole(int number) => number.ToString(CultureInfo.InvariantCulture);
}
