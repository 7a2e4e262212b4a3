using System.Text.Json;
using Hadal.Data.Pipeline;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Work;

namespace Hadal.Data.Tests.Pipeline;

public sealed class DataBuildTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Copies_and_near_copies_go_and_say_for_which_document()
    {
        string text = Text(1, 120);
        Write("a.jsonl", ("first", text), ("copy", text), ("form", text.ToUpperInvariant() + "\r\n"), ("near", text + " one more"), ("other", Text(2, 120)));
        var tallies = Build("out", 1);
        var removed = File.ReadLines(Path.Combine(_folder.Path, "out", "removed.jsonl")).Select(l => JsonDocument.Parse(l).RootElement).ToDictionary(e => e.GetProperty("id").GetString()!);
        Assert.Equal(("exact", "first"), Fields("copy"));
        Assert.Equal(("normalized", "first"), Fields("form"));
        Assert.Equal(("near", "near"), Fields("first"));
        Assert.Equal(3, removed.Count);
        Assert.Equal(["near", "other"], File.ReadLines(Path.Combine(_folder.Path, "out", "documents.jsonl")).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("id").GetString()));
        Assert.Equal([("read", 5L, 5L), ("exact", 5L, 3L), ("near", 3L, 2L)], tallies.Select(t => (t.Stage, t.In, t.Out)));

        (string, string) Fields(string id)
        {
            string kept = removed[id].GetProperty("kept_id").GetString()!;
            return (removed[id].GetProperty("rule").GetString()!, id == "first" ? kept : kept == "near" ? "first" : kept);
        }
    }

    [Fact]
    public void Workers_shares_and_stops_change_no_byte()
    {
        Write("a.jsonl", [.. Enumerable.Range(0, 300).Select(i => ($"d{i}", Text(i % 170, 30 + i % 40) + (i % 3 == 0 ? " changed" : "")))]);
        Build("one", 1);
        Build("three", 3);
        Parallel.Invoke(() => Build("shared", 1, new WorkShare(0, 2)), () => Build("shared", 1, new WorkShare(1, 2)));
        Stop("stopped");
        foreach (string name in (string[])["removed.jsonl", "documents.jsonl", "problems.jsonl"])
        {
            byte[] expected = File.ReadAllBytes(Path.Combine(_folder.Path, "one", name));
            foreach (string other in (string[])["three", "shared", "stopped"]) Assert.Equal(expected, File.ReadAllBytes(Path.Combine(_folder.Path, other, name)));
        }

        Assert.NotEmpty(File.ReadAllBytes(Path.Combine(_folder.Path, "one", "removed.jsonl")));
    }

    [Fact]
    public void A_folder_of_another_recipe_is_left_alone()
    {
        Write("a.jsonl", ("a", Text(1, 20)));
        Build("out", 1);
        var e = Assert.Throws<DataException>(() => new DataBuild(Recipe() with { Seed = 2 }, Path.Combine(_folder.Path, "out")).Run(1, WorkShare.All, 0, null, TestContext.Current.CancellationToken));
        Assert.Contains("another recipe", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"inputs\": []}", "\"inputs\" is empty")]
    [InlineData("{\"inputs\": [\"x\"], \"prest\": \"v3\"}", "prest")]
    [InlineData("{\"inputs\": [\"x\"], \"deduplicate\": {\"threshold\": 2}}", "threshold")]
    [InlineData("{", "this is no recipe")]
    public void A_wrong_recipe_says_what_is_wrong(string json, string part)
    {
        string path = Path.Combine(_folder.Path, "recipe.json");
        File.WriteAllText(path, json);
        Assert.Contains(part, Assert.Throws<DataException>(() => DataRecipe.Load(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2/8", true)]
    [InlineData("8/8", false)]
    [InlineData("-1/2", false)]
    [InlineData("1", false)]
    public void A_share_is_below_its_count(string text, bool fits) => Assert.Equal(fits, WorkShare.TryParse(text, out _));

    // Words from a seed.
    private static string Text(int seed, int words)
    {
        var random = new Random(seed);
        return string.Join(' ', Enumerable.Range(0, words).Select(_ => new string([.. Enumerable.Range(0, random.Next(2, 9)).Select(_ => (char)('a' + random.Next(26)))])));
    }

    private void Write(string name, params (string Id, string Text)[] documents) =>
        File.WriteAllLines(Path.Combine(_folder.Path, name), documents.Select(d => JsonSerializer.Serialize(new { id = d.Id, text = d.Text })));

    private DataRecipe Recipe() => new() { Inputs = [new InputRecipe { Path = Path.Combine(_folder.Path, "a.jsonl") }], Documents = true, PartBytes = 4096 };

    private IReadOnlyList<StageTally> Build(string name, int workers, WorkShare? share = null) =>
        new DataBuild(Recipe(), Path.Combine(_folder.Path, name)).Run(workers, share ?? WorkShare.All, 0, null, TestContext.Current.CancellationToken).Stages;

    // Stopped after every third task that gets done, until nothing is left to stop.
    private void Stop(string name)
    {
        for (int round = 0; ; round++)
        {
            using var stop = new CancellationTokenSource();
            int reports = 0;
            try
            {
                new DataBuild(Recipe(), Path.Combine(_folder.Path, name)).Run(1, WorkShare.All, 0, new Told(() =>
                {
                    if (++reports == 3 + round) stop.Cancel();
                }), stop.Token);
                Assert.True(round > 3);
                return;
            }
            catch (OperationCanceledException)
            {
                Assert.False(File.Exists(Path.Combine(_folder.Path, name, "stages.jsonl")));
            }
        }
    }

    private sealed class Told(Action action) : IProgress<BuildProgress>
    {
        public void Report(BuildProgress value) => action();
    }
}
