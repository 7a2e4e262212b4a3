using System.Text.Json.Nodes;

namespace Hadal.Cli.Tests;

public class StartFromTests(Samples samples)
{
    [Fact]
    public void A_run_file_without_model_and_tokenizer_takes_those_of_the_folder_it_starts_from()
    {
        using var folder = new TemporaryFolder();
        string config = folder.Write("run.json", samples.Run(r =>
        {
            r.Remove("model");
            r.Remove("tokenizer");
            (r["start_from"], r["freeze"], r["steps"]) = (Path.GetRelativePath(folder.Path, samples.ModelFolder), new JsonArray("model.layers.*.mlp.experts.*"), 2);
        }));
        string[] command = ["train", "--config", config, "--out", folder.File("out"), "--threads", "1"];
        Assert.True(CliRun.Of([.. command, "--dry-run", "--json"]).Json().GetProperty("parameters").GetInt64() > 0);
        var run = CliRun.Of(command);
        Assert.True(run.Code == 0, run.Error);
        var hidden = JsonNode.Parse(File.ReadAllText(Path.Combine(samples.ModelFolder, "config.json")))!["hidden_size"]!;
        var written = JsonNode.Parse(File.ReadAllText(folder.File("out", "run.json")))!;
        Assert.Equal((int)hidden, (int)written["model"]!["hidden_size"]!);
        Assert.Equal(Path.GetFullPath(samples.ModelFolder), Path.GetFullPath((string)written["start_from"]!, folder.File("out")));
        Assert.Equal(File.ReadAllBytes(Path.Combine(samples.ModelFolder, "tokenizer.json")), File.ReadAllBytes(folder.File("out", "model", "tokenizer.json")));
        Assert.Contains("This run is complete", CliRun.Of(command).Error, StringComparison.Ordinal);

        // Not the loss of fresh weights.
        var fresh = CliRun.Of("train", "--config", folder.Write("fresh.json", samples.Run(r => (r["model"], r["steps"]) = (written["model"]!.DeepClone(), 2))), "--out", folder.File("fresh"), "--threads", "1");
        Assert.True(fresh.Code == 0, fresh.Error);
        Assert.NotEqual(Loss(folder.File("fresh")), Loss(folder.File("out")));

        static double Loss(string output) => (double)JsonNode.Parse(File.ReadLines(Path.Combine(output, "metrics.jsonl")).First())!["main_loss"]!;
    }

    [Theory]
    [InlineData("start_from", "does/not/exist", "does/not/exist: there is no such folder")]
    [InlineData("freeze", "model.layers.9.*", "no parameter is called model.layers.9.*")]
    public void What_cannot_be_started_from_or_frozen_is_named(string field, string value, string sentence)
    {
        using var folder = new TemporaryFolder();
        string config = folder.Write("run.json", samples.Run(r => r[field] = field == "freeze" ? new JsonArray(value) : value));
        Assert.Contains(sentence, CliRun.Of("train", "--config", config, "--out", folder.File("out"), "--threads", "1").Refusal(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("out")));
    }
}
