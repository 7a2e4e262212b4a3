using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hadal.Cli.Tests;

/// <summary>From raw text through <c>data build</c> to <c>train</c> and <c>data show</c>.</summary>
public sealed class ShardTests : IDisposable
{
    private readonly Samples _samples;
    private readonly TemporaryFolder _folder = new();

    public ShardTests(Samples samples)
    {
        _samples = samples;
        string[] words = Samples.Prose(4000).Split('\n');
        string input = _folder.Write("in.jsonl", string.Concat(words.Chunk(4).Select((lines, i) => JsonSerializer.Serialize(new { id = $"d{i}", text = string.Join('\n', lines) }) + "\n")));
        string recipe = _folder.Write("recipe.json", new JsonObject
        {
            ["inputs"] = new JsonArray(new JsonObject { ["path"] = input }),
            ["deduplicate"] = new JsonObject { ["near"] = false },
            ["tokens"] = new JsonObject { ["tokenizer"] = samples.TokenizerFolder, ["row_tokens"] = 64, ["fim_rate"] = 0, ["validation_share"] = 0.1 },
        }.ToJsonString());
        var build = CliRun.Of("data", "build", recipe, "--out", Data, "--workers", "1");
        Assert.True(build.Code == 0, build.Error);
    }

    public void Dispose() => _folder.Dispose();

    private string Data => _folder.File("data");

    private string Config(Action<JsonObject>? change = null) => _folder.Write("run.json", _samples.Run(r =>
    {
        (r["data"], r["sequence_length"], r["validation_sequences"]) = (new JsonArray(Data), 64, 2);
        change?.Invoke(r);
    }));

    [Fact]
    public void A_run_over_shards_can_be_stopped_and_goes_on_to_the_same_bytes()
    {
        string config = Config(r => r["document_mask"] = true), whole = _folder.File("whole"), parts = _folder.File("parts");
        var run = CliRun.Of("train", "--config", config, "--out", whole, "--threads", "1");
        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("rows of 64 tokens to train on, 2 to validate on", run.Error, StringComparison.Ordinal);
        Assert.Contains("on the validation text", run.Out, StringComparison.Ordinal);
        using var stop = new CancellationTokenSource();
        string[] command = ["train", "--config", config, "--out", parts, "--threads", "1"];
        Assert.Equal(130, CliRun.Watched(
            line =>
            {
                if (line.StartsWith("step ", StringComparison.Ordinal)) stop.Cancel();
            },
            stop.Token, command).Code);
        Assert.False(Directory.Exists(Path.Combine(parts, "model")));
        var resumed = CliRun.Of([.. command, "--resume"]);
        Assert.True(resumed.Code == 0, resumed.Error);
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model", "model.safetensors")), File.ReadAllBytes(Path.Combine(parts, "model", "model.safetensors")));
    }

    [Fact]
    public void A_build_leaves_a_page_that_tells_what_became_of_the_documents()
    {
        string page = File.ReadAllText(Path.Combine(Data, "report.html"));
        foreach (string part in (string[])["What became of the documents", "What the tokens are made of", "validation", "rows of 64"]) Assert.Contains(part, page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_plan_tells_rows_tokens_and_epochs()
    {
        var data = CliRun.Of("train", "--config", Config(), "--dry-run", "--json").Json().GetProperty("data");
        var shown = CliRun.Of("data", "show", Data, "--json").Json();
        foreach (string field in (string[])["row_tokens", "rows", "tokens", "documents"]) Assert.Equal(shown.GetProperty(field).GetInt64(), data.GetProperty(field).GetInt64());
        Assert.Equal(64, shown.GetProperty("row_tokens").GetInt32());
        Assert.Equal(12.0 / data.GetProperty("training_rows").GetInt64(), data.GetProperty("epochs").GetDouble(), 1e-12);
        Assert.Contains("rows of 64 tokens", CliRun.Of("train", "--config", Config(), "--dry-run").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dataset_that_is_not_for_the_run_is_refused_with_the_reason()
    {
        Refused("another tokenizer", r => r["tokenizer"] = _samples.ChatFolder, r => r["model"]!["vocab_size"] = 320);
        Refused("vocab_size", r => r["model"]!["vocab_size"] = 200);
        Refused("has rows of 64 tokens; it has to be 64, or 63", r => r["sequence_length"] = 32);
        Refused("a run reads one dataset", r => r["data"] = new JsonArray(_samples.Text, Data));
        Refused("There is a weight for \"nothing\"", r => r["data_weights"] = new JsonObject { ["nothing"] = 1 });
        Refused("data_weights is for a dataset", r => (r["data"], r["data_weights"]) = (new JsonArray(_samples.Text), new JsonObject { ["en"] = 1 }));
        Refused("document_mask is for a dataset", r => (r["data"], r["document_mask"]) = (new JsonArray(_samples.Text), true));
        Refused("only", r => (r["validation_sequences"], r["micro_batch_sequences"]) = (1, 2));

        void Refused(string what, params Action<JsonObject>[] changes)
        {
            string config = Config(r => Array.ForEach(changes, c => c(r)));
            Assert.Contains(what, CliRun.Of("train", "--config", config, "--out", _folder.File("out"), "--threads", "1").Refusal(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_row_is_shown_with_its_documents_and_their_text()
    {
        var row = CliRun.Of("data", "show", Data, "--row", "1", "--tokenizer", _samples.TokenizerFolder, "--json").Json();
        var pieces = row.GetProperty("pieces").EnumerateArray().ToList();
        Assert.Equal(row.GetProperty("filled").GetInt32(), pieces.Sum(p => p.GetProperty("ids").GetArrayLength()));
        string[] texts = [.. File.ReadLines(_folder.File("in.jsonl")).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("text").GetString()!)];
        string id = pieces[0].GetProperty("id").GetString()!, text = pieces[0].GetProperty("text").GetString()!;
        Assert.Contains(text[..10], texts[int.Parse(id[(id.LastIndexOf('d') + 1)..], null)], StringComparison.Ordinal);
        var shown = CliRun.Of("data", "show", Path.Combine(Data, "shards"), "--row", "1", "--tokenizer", _samples.TokenizerFolder);
        Assert.Equal(pieces.Count, shown.Out.Split('\n').Count(l => l.StartsWith("-- places ", StringComparison.Ordinal)));
        Assert.Contains(text.Split('\n')[0], shown.Out, StringComparison.Ordinal);
        Assert.Contains("has rows 0 to", CliRun.Of("data", "show", Data, "--row", "99999").Refusal(), StringComparison.Ordinal);
        Assert.Contains("another tokenizer", CliRun.Of("data", "show", Data, "--tokenizer", _samples.ChatFolder).Refusal(), StringComparison.Ordinal);
        Assert.Contains("has no token shards", CliRun.Of("data", "show", _samples.TokenizerFolder).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Verifying_finds_a_byte_that_changed()
    {
        Assert.Equal(0, CliRun.Of("data", "show", Data, "--verify").Code);
        string file = Directory.GetFiles(Path.Combine(Data, "shards"), "*.tokens")[0];
        byte[] bytes = File.ReadAllBytes(file);
        bytes[20] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.Contains(file, CliRun.Of("data", "show", Data, "--verify").Refusal(), StringComparison.Ordinal);
    }
}
