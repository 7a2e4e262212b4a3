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
            Shape = RunRows.Shape(model),
            Settings = RunRows.Settings(result.Run, result.Last.Step),
            Command = command,
        });
    }
}
