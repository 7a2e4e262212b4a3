namespace Hadal.Cli.Tests;

public class BenchTests(Samples samples)
{
    [Fact]
    public void A_shape_is_written_kept_and_measured_with_less_memory_than_it_takes()
    {
        using var folder = new TemporaryFolder();
        string shape = Path.Combine(samples.ModelFolder, "config.json"), kept = folder.File("kept");
        string[] write = ["bench", "--shape", shape, "--keep", kept, "--skew", "0.1", "--seed", "7", "--prefill", "0", "--decode", "0", "--json"];
        var written = CliRun.Of(write).Json();
        Assert.Equal((kept, 0), (written.GetProperty("folder").GetString(), written.GetProperty("results").GetArrayLength()));
        byte[] first = File.ReadAllBytes(Path.Combine(kept, "model.safetensors"));
        // What is kept is used again.
        CliRun.Of(write).Json();
        Assert.Equal(first, File.ReadAllBytes(Path.Combine(kept, "model.safetensors")));

        var json = CliRun.Of("bench", kept, "--memory", "400M", "--cache", "fp8", "--prefill", "0", "--decode", "2", "--repeat", "1", "--threads", "1", "--json").Json();
        Assert.Equal("fp8", json.GetProperty("cache").GetString());
        var experts = json.GetProperty("results")[0].GetProperty("experts");
        Assert.InRange(experts.GetProperty("hit_rate").GetDouble(), 0, 1);
        Assert.InRange(experts.GetProperty("disk_share").GetDouble(), 0, 1);
    }

    [Fact]
    public void What_goes_with_a_shape_is_refused_with_a_model() => Assert.Multiple(
        () => Assert.Contains("--skew and --seed go with --shape", CliRun.Of("bench", samples.ModelFolder, "--skew", "1").Refusal(), StringComparison.Ordinal),
        () => Assert.Contains("--keep goes with --shape", CliRun.Of("bench", samples.ModelFolder, "--keep", "x").Refusal(), StringComparison.Ordinal));

    [Fact]
    public void Training_is_measured_beside_the_matrix_product()
    {
        var json = CliRun.Of("bench", "train", "--config", samples.RunFile, "--precision", "bf16", "--experts", "8", "--steps", "2", "--threads", "1", "--profile", "--json").Json();
        Assert.Equal(("bf16", 1, 2), (json.GetProperty("precision").GetString(), json.GetProperty("threads").GetInt32(), json.GetProperty("steps").GetArrayLength()));
        foreach (string field in (string[])["tokens_per_second", "flops_per_token", "fp32_gemm_gflops", "bf16_gemm_gflops", "share_of_gemm_peak", "peak_memory_bytes", "loss"])
            Assert.True(json.GetProperty(field).GetDouble() > 0, field);
        var profile = json.GetProperty("profile").EnumerateArray().ToDictionary(r => r.GetProperty("kernel").GetString()!, r => r.GetProperty("share").GetDouble());
        Assert.Superset(new HashSet<string> { "product, coded", "coding", "coded attention backward", "adam w", "between kernels" }, profile.Keys.ToHashSet());
        // Shares are of the steps' whole time, so they add up to it.
        Assert.Equal(1, profile.Values.Sum(), 6);
    }

    [Fact]
    public void A_precision_that_there_is_not_is_refused_by_name() =>
        Assert.Contains("has to be one of fp32, bf16, fp8", CliRun.Of("bench", "train", "--config", samples.RunFile, "--precision", "fp7").Refusal(), StringComparison.Ordinal);
}
