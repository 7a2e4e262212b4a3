using Hadal.Training.Metrics;

namespace Hadal.Cli.Tests;

public sealed class QuickstartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_quickstart_of_a_few_seconds_goes_from_text_to_a_model_that_talks()
    {
        string folder = _folder.File("quick");
        var result = CliRun.Of("quickstart", "--minutes", "0.15", "--out", folder, "--json").Json();
        string[] names =
            ["steps", "tokens", "tokens_per_second", "train_loss", "validation_loss", "bigram_loss", "max_violation", "acceptance_rate", "samples"];
        Assert.Equal(names, result.EnumerateObject().Select(p => p.Name));
        int steps = result.GetProperty("steps").GetInt32();
        Assert.Equal(steps, MetricsLog.Read(Path.Combine(folder, "metrics.jsonl"))[^1].Step);

        // An untrained model of 2,048 tokens has ln 2048 = 7.6; even a second of training is below.
        Assert.InRange(result.GetProperty("validation_loss").GetDouble(), 1, 7.7);
        Assert.InRange(result.GetProperty("bigram_loss").GetDouble(), 1, 7.7);
        Assert.All(result.GetProperty("samples").EnumerateArray(), s => Assert.Equal(s.GetProperty("text").GetString(), s.GetProperty("text_speculative").GetString()));

        Assert.Contains("</html>", File.ReadAllText(Path.Combine(folder, "report.html")), StringComparison.Ordinal);
        var plan = CliRun.Of("train", "--config", Path.Combine(folder, "run.json"), "--out", _folder.File("again"), "--dry-run", "--json").Json();
        Assert.InRange(steps, 1, plan.GetProperty("steps").GetInt32());
        var text = CliRun.Of("generate", Path.Combine(folder, "model"), "--prompt", "Gets the", "--max-tokens", "5", "--json").Json();
        Assert.Equal(5, text.GetProperty("tokens").GetArrayLength());
    }

    [Fact]
    public void A_folder_with_something_else_in_it_is_left_alone()
    {
        string folder = _folder.File("mine");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "letter.txt"), "Dear");
        Assert.Contains("something other than an earlier quickstart", CliRun.Of("quickstart", "--out", folder).Refusal(), StringComparison.Ordinal);
        Assert.Single(Directory.EnumerateFileSystemEntries(folder));
    }

    [Theory]
    [InlineData("--minutes", "soon", "from 0.1")]
    [InlineData("--seed", "-1", "whole number")]
    [InlineData("--data", "no/such/folder", "no/such/folder")]
    public void Wrong_arguments_are_named(string option, string value, string message) =>
        Assert.Contains(message, CliRun.Of("quickstart", "--out", _folder.File("q"), option, value).Refusal(), StringComparison.Ordinal);
}
