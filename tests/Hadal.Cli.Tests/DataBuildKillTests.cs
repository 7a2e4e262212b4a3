using System.Text.Json;

namespace Hadal.Cli.Tests;

/// <summary>Builds that die at any moment.</summary>
public class DataBuildKillTests
{
    private const int Documents = 3000;

    [Fact]
    public Task A_build_that_is_killed_at_any_moment_goes_on_to_the_same_bytes() => KillAsync(kills: 8, seed: 3);

    /// <summary>The long form: <c>dotnet run -c Release --project tests/Hadal.Cli.Tests -- -explicit only -class "*DataBuildKillTests"</c>.</summary>
    [Fact(Explicit = true)]
    public Task Twenty_kills_lead_to_the_same_bytes() => KillAsync(kills: 20, seed: 20);

    private static async Task KillAsync(int kills, int seed)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are a thing of Unix.");
        using var folder = new TemporaryFolder();
        folder.Write("texts.jsonl", string.Concat(Texts().Select((text, i) => JsonSerializer.Serialize(new { id = $"d{i}", text }) + "\n")));
        Assert.Equal(0, CliRun.Of("tokenizer", "train", folder.File("texts.jsonl"), "--vocab", "600", "--fim-and-chat", "--out", folder.File("tokenizer")).Code);
        folder.Write("eval.jsonl", JsonSerializer.Serialize(new { question = Texts().First() }) + "\n");
        string recipe = folder.Write("recipe.json", """
            {"inputs": ["texts.jsonl"], "preset": "v3", "quality": [{"min_words": 5}], "documents": true, "part_bytes": 8192, "exports": [{"after": "clean", "format": "jsonl"}, {"after": "near", "format": "parquet"}],
             "decontaminate": {"sets": [{"name": "held", "path": "eval.jsonl", "question_fields": ["question"]}]},
             "tokens": {"tokenizer": "tokenizer", "row_tokens": 128, "validation_share": 0.1, "shard_bytes": 65536, "mixture": {"maximum_epochs": 2, "shares": {"en": 1}}}}
            """);
        string output = folder.File("out"), whole = folder.File("whole");
        string[] command = ["data", "build", recipe, "--out", output, "--workers", "2"];
        var random = new Random(seed);
        int met = 0;
        for (int i = 0; i < kills; i++)
        {
            using var child = ChildProcess.Start(command);

            // From the moment at which it has begun to work.
            await Patience.UntilAsync(() => child.HasExited || Directory.Exists(Path.Combine(output, "work")));
            await Task.Delay(random.Next(0, 700), TestContext.Current.CancellationToken);
            if (!child.HasExited) met++;
            child.Kill();
            _ = await child.FinishAsync();
        }

        Assert.True(met > kills / 2, $"Only {met} of {kills} kills met a build that was under way.");
        var finished = CliRun.Of(command);
        Assert.True(finished.Code == 0, finished.Error);
        Assert.Equal(0, CliRun.Of("data", "build", recipe, "--out", whole, "--workers", "1").Code);
        string[] files = [.. Directory.GetFiles(whole, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(whole, f)).Order(StringComparer.Ordinal)];
        Assert.Equal(files, Directory.GetFiles(output, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(output, f)).Order(StringComparer.Ordinal));
        Assert.True(files.Length > 100, "A build of so many parts leaves many files.");

        // The times that stages took are the only thing that may differ.
        foreach (string file in files.Except(["stages.jsonl", "report.html"])) Assert.Equal(File.ReadAllBytes(Path.Combine(whole, file)), File.ReadAllBytes(Path.Combine(output, file)));
    }

    private static IEnumerable<string> Texts()
    {
        string[] words = ["the", "house", "is", "of", "green", "and", "stands", "by", "a", "river", "that", "children", "know", "well", "because", "they", "swim", "there", "every", "summer", "with", "old", "friends"];
        for (int i = 0; i < Documents; i++)
        {
            // Every tenth is a copy of the one before with a word more.
            var random = new Random(i % 10 == 9 ? i - 1 : i);
            string text = string.Join(' ', Enumerable.Range(0, 20 + random.Next(40)).Select(_ => words[random.Next(words.Length)] + (random.Next(6) == 0 ? $"{random.Next(100)}" : "")));
            yield return i % 10 == 9 ? text + " indeed." : text + ".";
        }
    }
}
