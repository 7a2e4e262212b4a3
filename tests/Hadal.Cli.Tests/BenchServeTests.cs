namespace Hadal.Cli.Tests;

public sealed class BenchServeTests(Samples samples)
{
    [Fact]
    public void A_model_is_served_for_the_while_and_every_request_is_counted()
    {
        var json = CliRun.Of("bench", "serve", samples.ModelFolder, "--rate", "200", "--requests", "8", "--prompt-tokens", "4-12", "--answer-tokens", "5",
            "--shared-prefix", "64", "--slo-ttft", "600000", "--threads", "1", "--json").Json();
        Assert.Equal(8, json.GetProperty("requests").GetInt32());
        Assert.Equal(8, json.GetProperty("answered").GetInt32());
        Assert.Equal(8, json.GetProperty("good").GetInt32());
        Assert.Equal(40, json.GetProperty("total_answer_tokens").GetInt32());
        Assert.InRange(json.GetProperty("total_prompt_tokens").GetInt32(), 8 * 68, 8 * 76);
        Assert.Equal(8, json.GetProperty("end_to_end").GetProperty("count").GetInt32());
        Assert.True(json.GetProperty("ttft").GetProperty("p50").GetDouble() <= json.GetProperty("ttft").GetProperty("p99").GetDouble());
        Assert.True(json.GetProperty("lag").GetProperty("count").GetInt32() >= 8);
    }

    [Fact]
    public void A_table_shows_the_percentiles()
    {
        string text = CliRun.Of("bench", "serve", samples.ModelFolder, "--requests", "3", "--concurrency", "2", "--prompt-tokens", "4", "--answer-tokens", "4", "--threads", "1").Out;
        Assert.Contains("3 answered, 0 given up, 0 failed", text, StringComparison.Ordinal);
        Assert.Contains("per token behind it (TPOT)", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Lengths_that_are_none_are_explained() =>
        Assert.Contains("such as lognormal:400,0.8", CliRun.Of("bench", "serve", "http://127.0.0.1:1", "--prompt-tokens", "long").Refusal(), StringComparison.Ordinal);

    [Fact]
    public void A_server_that_is_not_there_is_named() =>
        Assert.Contains("http://127.0.0.1:1 does not answer", CliRun.Of("bench", "serve", "http://127.0.0.1:1").Refusal(), StringComparison.Ordinal);
}
