using System.Text.Json;
using Hadal.Model.Tokenization;

namespace Hadal.Cli.Tests;

/// <summary>With <c>--json</c> all of standard output is one document, with the fields that scripts rely on.</summary>
public class JsonTests(Samples samples)
{
    [Fact]
    public void Doctor()
    {
        var run = CliRun.Of("doctor", "--json");
        using var document = JsonDocument.Parse(run.Out);
        bool ok = document.RootElement.GetProperty("ok").GetBoolean();
        Assert.Equal(ok ? 0 : 2, run.Code);
        var checks = document.RootElement.GetProperty("checks").EnumerateArray().ToArray();
        Assert.Equal(ok, checks.All(c => c.GetProperty("ok").GetBoolean()));
        Assert.All(checks, c => Assert.NotEqual("", c.GetProperty("name").GetString() + c.GetProperty("detail").GetString()));
    }

    [Fact]
    public void Bench_peak()
    {
        var json = CliRun.Of("bench", "peak", "--threads", "1", "--json").Json();
        Assert.Equal(1, json.GetProperty("threads").GetInt32());
        Assert.All(["read_gb_per_s", "fp32_gflops", "fp32_gemm_gflops"], f => Assert.True(json.GetProperty(f).GetDouble() > 0, f));
        Assert.All(["bf16_gflops", "int8_gops"], f => Assert.True(json.GetProperty(f) is { ValueKind: JsonValueKind.Null } or { ValueKind: JsonValueKind.Number }, f));
    }

    [Fact]
    public void Inspect_counts_what_the_files_hold()
    {
        var json = CliRun.Of("inspect", samples.ModelFolder, "--json").Json();
        var golden = GoldenData.Tensors("tiny-v3", "model.safetensors");
        Assert.Equal("deepseek_v3", json.GetProperty("architecture").GetString());
        Assert.Equal(4, json.GetProperty("layers").GetInt32());
        Assert.Equal(1, json.GetProperty("mtp_layers").GetInt32());
        Assert.Equal(golden.Names.Count, json.GetProperty("tensors").GetInt32());
        Assert.Equal(golden.Names.Count(n => golden.Type(n) == "F32"), json.GetProperty("dtypes").GetProperty("F32").GetInt32());
        long main = golden.Names.Where(n => !n.StartsWith("model.layers.4.", StringComparison.Ordinal)).Sum(n => golden.Shape(n).Aggregate(1L, (a, b) => a * b));
        Assert.Equal(main, json.GetProperty("parameters").GetInt64());
        Assert.InRange(json.GetProperty("active_parameters").GetInt64(), 1, main);

        // A latent of 64 and a rotary key of 16 in BF16 for each of 4 layers.
        Assert.Equal(2 * (64 + 16) * 4, json.GetProperty("cache_bytes_per_token").GetInt64());
    }

    [Fact]
    public void Inspect_of_a_configuration_alone_shows_what_follows_from_it()
    {
        var json = CliRun.Of("inspect", GoldenData.Folder("tiny-v3", "config.json"), "--json").Json();
        Assert.Equal(CliRun.Of("inspect", samples.ModelFolder, "--json").Json().GetProperty("parameters").GetInt64(), json.GetProperty("parameters").GetInt64());
    }

    [Fact]
    public void Generate()
    {
        var json = CliRun.Of("generate", samples.ModelFolder, "--prompt", "the number of", "--max-tokens", "5", "--threads", "1", "--json").Json();
        var tokenizer = Tokenizer.Load(samples.TokenizerFolder);
        int[] tokens = [.. json.GetProperty("tokens").EnumerateArray().Select(t => t.GetInt32())];
        Assert.Equal(5, tokens.Length);
        Assert.Equal(tokenizer.Decode(tokens, skipSpecialTokens: true), json.GetProperty("text").GetString());
        Assert.Equal(tokenizer.Encode("the number of").Length, json.GetProperty("prompt_tokens").GetInt32());
        Assert.True(json.GetProperty("tokens_per_second").GetDouble() > 0);
        Assert.Equal(JsonValueKind.Null, json.GetProperty("acceptance_rate").ValueKind);
    }

    [Fact]
    public void Chat()
    {
        var json = CliRun.WithInput("Hello\n", "chat", samples.ChatFolder, "--max-tokens", "4", "--threads", "1", "--json").Json();
        string[] roles = [.. json.GetProperty("messages").EnumerateArray().Select(m => m.GetProperty("role").GetString()!)];
        Assert.Equal(["user", "assistant"], roles);
    }

    [Fact]
    public void Trace()
    {
        using var folder = new TemporaryFolder();
        string ids = folder.Write("ids.json", "[5, 6, 7]"), path = folder.File("trace.safetensors");
        var json = CliRun.Of("trace", samples.ModelFolder, "--tokens", ids, "--out", path, "--threads", "1", "--json").Json();
        Assert.Equal(3, json.GetProperty("tokens").GetInt32());
        var trace = new GoldenTensors(path);
        Assert.Equal([3, 512], trace.Shape("logits"));
        string[] names = ["hidden.0", "attn_out.0", "final_norm", "logits", "experts.1", "gate_weights.1", "kv_latent.0", "k_rope.0", "mtp.logits"];
        Assert.All(names, n => Assert.True(trace.Has(n), n));
    }

    [Fact]
    public void Tokenizer_train_and_encode()
    {
        using var folder = new TemporaryFolder();
        string tokenizer = folder.File("tokenizer.json");
        var trained = CliRun.Of("tokenizer", "train", "--vocab", "280", "--out", tokenizer, samples.Text, "--json").Json();
        Assert.Equal(280, trained.GetProperty("vocabulary").GetInt32());
        string texts = folder.Write("texts.jsonl", "{\"text\":\"the list\"}\n");
        var encoded = CliRun.Of("tokenizer", "encode", tokenizer, "--jsonl", texts, "--out", folder.File("ids.jsonl"), "--json").Json();
        Assert.Equal(1, encoded.GetProperty("texts").GetInt32());
    }

    [Fact]
    public void Train_and_its_dry_run()
    {
        using var folder = new TemporaryFolder();
        string run = folder.Write("run.json", samples.Run(r => r["steps"] = 1));
        var plan = CliRun.Of("train", "--config", run, "--out", folder.File("out"), "--dry-run", "--json").Json();
        Assert.All(["parameters", "active_parameters", "memory_bytes", "flops_per_token"], f => Assert.True(plan.GetProperty(f).GetDouble() > 0, f));
        Assert.False(Directory.Exists(folder.File("out")));
        var result = CliRun.Of("train", "--config", run, "--out", folder.File("out"), "--threads", "1", "--json").Json();
        Assert.Equal(1, result.GetProperty("steps").GetInt32());
        Assert.True(result.GetProperty("validation_loss").GetDouble() > 0);
    }
}
