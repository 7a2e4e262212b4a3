using System.Text.Json;
using Hadal.Cli.Diagnosis;
using Hadal.Numerics;

namespace Hadal.Cli.Tests;

public class QuantizeTests(Samples samples)
{
    [Fact]
    public void A_report_compares_two_formats_of_the_same_model()
    {
        var json = Report("--weights", "int4", "--tokens", "150", "--window", "64").Json();
        Assert.Equal((149, 64), (json.GetProperty("tokens").GetInt32(), json.GetProperty("window").GetInt32()));
        JsonElement reference = json.GetProperty("reference"), quantized = json.GetProperty("quantized");
        Assert.Equal(("bf16", "int4"), (reference.GetProperty("weights").GetString(), quantized.GetProperty("weights").GetString()));
        Assert.True(quantized.GetProperty("bytes").GetInt64() < reference.GetProperty("bytes").GetInt64());
        Assert.True(quantized.GetProperty("bits_per_weight").GetDouble() < reference.GetProperty("bits_per_weight").GetDouble());
        Assert.All([reference, quantized], m => Assert.True(m.GetProperty("perplexity").GetDouble() > 1));
        Assert.InRange(json.GetProperty("kl_mean").GetDouble(), 1e-9, json.GetProperty("kl_p99").GetDouble());
        Assert.InRange(json.GetProperty("same_token_share").GetDouble(), 0, 1);
    }

    [Fact]
    public void A_model_against_itself_does_not_diverge()
    {
        var json = Report("--weights", "fp32", "--against", "stored", "--tokens", "40").Json();
        Assert.Equal(0, json.GetProperty("kl_mean").GetDouble());
        Assert.Equal(1, json.GetProperty("same_token_share").GetDouble());
        Assert.Equal("fp32", json.GetProperty("reference").GetProperty("weights").GetString());
    }

    [Fact]
    public void Without_report_or_text_the_command_says_what_it_is_for() => Assert.Multiple(
        () => Assert.Contains("--report --text FILE", CliRun.Of("quantize", samples.ModelFolder).Refusal(), StringComparison.Ordinal),
        () => Assert.Contains("--text FILE", CliRun.Of("quantize", samples.ModelFolder, "--report").Refusal(), StringComparison.Ordinal),
        () => Assert.Contains("bf16, fp32, stored", Report("--against", "int2").Refusal(), StringComparison.Ordinal),
        () => Assert.Contains("nothing to predict", CliRun.WithInput("a", ["quantize", samples.ModelFolder, "--report", "--text", "-", "--threads", "1"]).Refusal(), StringComparison.Ordinal));

    [Theory]
    [InlineData("bf16")]
    [InlineData("int8")]
    [InlineData("int4")]
    public void Weights_can_be_chosen_where_a_model_runs(string weights)
    {
        using var folder = new TemporaryFolder();
        string ids = folder.Write("ids.json", "[5, 6, 7]"), plain = folder.File("plain.safetensors"), chosen = folder.File("chosen.safetensors");
        CliRun.Of("trace", samples.ModelFolder, "--tokens", ids, "--out", plain, "--threads", "1", "--json").Json();
        CliRun.Of("trace", samples.ModelFolder, "--tokens", ids, "--out", chosen, "--threads", "1", "--weights", weights, "--json").Json();
        Assert.NotEqual(new GoldenTensors(plain).F32("logits"), new GoldenTensors(chosen).F32("logits"));
        var json = CliRun.Of("generate", samples.ModelFolder, "--prompt", "the number of", "--max-tokens", "3", "--threads", "1", "--weights", weights, "--json").Json();
        Assert.Equal(3, json.GetProperty("tokens").GetArrayLength());
    }

    [Fact]
    public void Doctor_names_the_kernels_and_why_a_portable_form_runs()
    {
        using var document = JsonDocument.Parse(CliRun.Of("doctor", "--json").Out);
        var kernels = document.RootElement.GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "kernels");
        Assert.StartsWith(KernelChoice.Current().Form, kernels.GetProperty("detail").GetString(), StringComparison.Ordinal);
        var refused = MachineChecks.Kernels(new KernelChoice("vector512", [], "machine code cannot be placed: not allowed (error 13)", "not allowed (error 13)"));
        Assert.True(refused.Ok);
        Assert.Equal("vector512: the portable form, since machine code cannot be placed: not allowed (error 13)", refused.Detail);
    }

    private CliRun Report(params string[] options) => CliRun.Of(["quantize", samples.ModelFolder, "--report", "--text", samples.Text, "--threads", "1", "--json", .. options]);
}
