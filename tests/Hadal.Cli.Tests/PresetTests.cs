using System.Text.Json.Nodes;
using Hadal.Training.Presets;

namespace Hadal.Cli.Tests;

public class PresetTests(Samples samples)
{
    public static TheoryData<string> Names => [.. RunPreset.All.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_preset_has_a_dry_run_that_needs_neither_text_nor_tokenizer_nor_folder(string name)
    {
        var preset = RunPreset.Find(name)!;
        var plan = CliRun.Of("train", "--preset", name, "--dry-run", "--json").Json();
        Assert.Equal(preset.Model.ParameterCount + preset.Model.MtpParameterCount, plan.GetProperty("parameters").GetInt64());
        Assert.Equal(preset.Recipe.Tokens, plan.GetProperty("tokens").GetInt64());
        double flops = plan.GetProperty("flops_per_token").GetDouble(), speed = plan.GetProperty("fp32_gemm_gflops").GetDouble() * plan.GetProperty("assumed_gemm_share").GetDouble();
        Assert.Equal(flops * preset.Recipe.Tokens / (speed * 1e9), plan.GetProperty("seconds").GetDouble(), plan.GetProperty("seconds").GetDouble() * 1e-9);
        Assert.True(plan.GetProperty("main_flops_per_token").GetDouble() < flops);
    }

    [Fact]
    public void A_dry_run_of_v3_is_read_by_people()
    {
        var run = CliRun.Of("train", "--preset", "v3", "--dry-run", "--threads", "1");
        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("671,026,419,200 + 11,610,068,224 in MTP modules (36,625,618,432 active per token)", run.Out, StringComparison.Ordinal);
        Assert.Contains("260.6BFLOP per token (250.5BFLOP without MTP)", run.Out, StringComparison.Ordinal);
        Assert.Contains(" years, if 50.0% of this machine's FP32 matrix product is reached", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_written_run_file_trains()
    {
        using var folder = new TemporaryFolder();
        string config = folder.File("run.json");
        string[] write = ["train", "--preset", "tiny", "--tokenizer", samples.TokenizerFolder, "--data", samples.Text, "--write-config", config];
        Assert.Equal(config, CliRun.Of([.. write, "--json"]).Json().GetProperty("config").GetString());
        Assert.Contains("exists already", CliRun.Of(write).Refusal(), StringComparison.Ordinal);
        var run = JsonNode.Parse(File.ReadAllText(config))!;
        Assert.Equal(300, (int)run["model"]!["vocab_size"]!);
        (run["steps"], run["validation_share"]) = (1, 0.3);
        File.WriteAllText(config, run.ToJsonString());
        var trained = CliRun.Of("train", "--config", config, "--out", folder.File("out"), "--threads", "1");
        Assert.True(trained.Code == 0, trained.Error);
    }

    [Fact]
    public void A_preset_says_what_it_lacks()
    {
        using var folder = new TemporaryFolder();
        string output = folder.File("out");
        Assert.Contains("one of tiny, quickstart, small-moe-16b-shape, v3", CliRun.Of("train", "--preset", "v4", "--out", output).Refusal(), StringComparison.Ordinal);
        Assert.Contains("needs a tokenizer", CliRun.Of("train", "--preset", "tiny", "--out", output).Refusal(), StringComparison.Ordinal);
        Assert.Contains("needs text", CliRun.Of("train", "--preset", "tiny", "--tokenizer", samples.TokenizerFolder, "--out", output).Refusal(), StringComparison.Ordinal);
        Assert.Contains("of memory, but there are only", CliRun.Of("train", "--preset", "v3", "--tokenizer", samples.TokenizerFolder, "--data", samples.Text, "--out", output).Refusal(), StringComparison.Ordinal);
        Assert.Empty(folder.Content());
    }
}
