using System.Text.Json;
using System.Xml.Linq;
using Hadal.Cli.Monitoring;
using Hadal.Cli.Wiring;

namespace Hadal.Cli.Tests;

public class WatchTests(Samples samples)
{
    [Fact]
    public void A_complete_run_is_told_and_not_waited_for()
    {
        using var folder = new TemporaryFolder();
        string output = Train(folder, "out");
        var run = CliRun.Of("watch", output);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.StartsWith("out is complete: 6 of 6 steps.\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("  step: 6 of 6 (100.0%), 192 tokens\n", run.Out, StringComparison.Ordinal);
        Assert.Equal(run.Out, CliRun.Of("watch", output, "--once").Out);

        var state = CliRun.Of("watch", Path.Combine(output, "metrics.jsonl"), "--json").Json();
        Assert.Equal(("complete", 6, 6), (state.GetProperty("state").GetString(), state.GetProperty("step").GetInt32(), state.GetProperty("steps").GetInt32()));
        Assert.Equal(JsonValueKind.Null, state.GetProperty("seconds_left").ValueKind);
        Assert.Equal(2, state.GetProperty("max_violation").GetArrayLength());
    }

    [Fact]
    public void A_run_that_was_killed_counts_as_stopped_whatever_its_last_line_looks_like()
    {
        using var folder = new TemporaryFolder();
        string output = Train(folder, "out");
        string[] lines = File.ReadAllLines(Path.Combine(output, "metrics.jsonl"));
        File.WriteAllText(Path.Combine(output, "metrics.jsonl"), string.Join('\n', lines[..3]) + "\n" + lines[3][..40]);
        Directory.Delete(Path.Combine(output, "model"), recursive: true);
        File.WriteAllText(Path.Combine(output, "run.lock"), "");
        Assert.StartsWith("out has stopped after step 3 of 6; hadal train goes on", CliRun.Of("watch", output).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_under_way_is_followed_line_by_line_to_its_end()
    {
        using var folder = new TemporaryFolder();
        string output = folder.File("out");
        using var follow = new ManualResetEventSlim();
        Task<CliRun>? watching = null;
        var training = Task.Run(() => CliRun.Watched(
            line =>
            {
                if (!line.StartsWith("step 1/", StringComparison.Ordinal)) return;

                // The run waits until somebody watches it.
                watching = Task.Run(() => CliRun.OutputWatched(
                    seen =>
                    {
                        if (seen.StartsWith("step 1/", StringComparison.Ordinal)) follow.Set();
                    },
                    "watch", output));
                Assert.Equal("running", CliRun.Of("watch", output, "--json").Json().GetProperty("state").GetString());
                follow.Wait(TestContext.Current.CancellationToken);
            },
            CancellationToken.None, "train", "--config", samples.RunFile, "--out", output, "--threads", "1"), TestContext.Current.CancellationToken);
        Assert.Equal(0, (await training).Code);
        var watched = await watching!;
        Assert.Equal((0, ""), (watched.Code, watched.Error));
        string[] lines = watched.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("watching out", lines[0]);
        Assert.Equal(["step 1/6", "step 2/6", "step 3/6", "step 4/6", "step 5/6", "step 6/6"], lines.Where(l => l.StartsWith("step ", StringComparison.Ordinal)).Select(l => l[..8]));
        Assert.Equal("out is complete: 6 of 6 steps.", lines[^1]);
    }

    [Fact]
    public void What_is_no_run_is_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("There is no folder", CliRun.Of("watch", folder.File("nothing")).Refusal(), StringComparison.Ordinal);
        Directory.CreateDirectory(folder.File("empty"));
        Assert.Contains("it has no run.json", CliRun.Of("watch", folder.File("empty")).Refusal(), StringComparison.Ordinal);
        Assert.Contains("is a file, not the folder of a run", CliRun.Of("watch", samples.Text).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_single_run_gets_the_training_report_and_several_a_comparison_with_what_differs()
    {
        using var folder = new TemporaryFolder();
        string one = Train(folder, "a/run"), two = Train(folder, "b/run", ("mtp_weight", 0.1));
        string page = folder.File("page.html");
        Assert.Equal($"The page is {page}.\n", CliRun.Of("report", one, "--out", page).Out);
        string single = File.ReadAllText(page);
        Assert.Contains("Training report", single, StringComparison.Ordinal);
        Assert.Contains("Routed experts", single, StringComparison.Ordinal);

        // A run that is still going has a torn line at its end.
        File.AppendAllText(Path.Combine(two, "metrics.jsonl"), "{\"step\":7,\"tok");
        var both = CliRun.Of("report", one, two, "--out", page, "--json").Json();
        Assert.Equal(["complete", "complete"], both.GetProperty("runs").EnumerateArray().Select(r => r.GetProperty("state").GetString()!));
        string comparison = File.ReadAllText(page);
        Assert.Contains("a/run, b/run", comparison, StringComparison.Ordinal);
        Assert.Equal(
            [("mtp_weight", "0.3|0.1")],
            Hadal.Cli.Reports.ComparisonReport.Differences(RunRecord.Open([one, two])).Select(d => (d.Field, string.Join('|', d.Values))));
        var parsed = XDocument.Parse(comparison.Replace("<!DOCTYPE html>", "", StringComparison.Ordinal));
        string[] ids = [.. parsed.Descendants().Attributes("id").Select(a => a.Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.Contains("named twice", CliRun.Of("report", one, one + "/", "--out", page).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_endpoint_answers_on_the_loopback_address_with_what_the_run_last_did()
    {
        var steps = SyntheticRun.Steps(3, layers: 2, modules: 0);
        string page = MetricsPage.Write(steps[^1] with { ModelFlopsUtilization = 0.5, GradNorm = double.PositiveInfinity, MaxViolation = [0.25, double.NaN] }, 9, 1, 3.5, ["layer 1", "layer 2"]);
        using var endpoint = new MetricsEndpoint(0, () => page);
        Assert.StartsWith("http://127.0.0.1:", endpoint.Address, StringComparison.Ordinal);
        using var client = new HttpClient();
        var answer = await client.GetAsync(new Uri(endpoint.Address), TestContext.Current.CancellationToken);
        Assert.Equal(("text/plain", "0.0.4"), (answer.Content.Headers.ContentType!.MediaType, answer.Content.Headers.ContentType.Parameters.First().Value));
        string[] lines = (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split('\n');
        foreach (string line in (string[])["hadal_step 3", "hadal_planned_steps 9", "hadal_skipped_steps 1", "hadal_validation_loss 3.5", "hadal_mfu 0.5", "hadal_grad_norm +Inf",
            "hadal_max_violation{layer=\"layer 1\"} 0.25", "hadal_max_violation{layer=\"layer 2\"} NaN", "# TYPE hadal_max_violation gauge"]) Assert.Contains(line, lines);
        Assert.Single(lines, l => l.StartsWith("# TYPE hadal_max_violation", StringComparison.Ordinal));
        Assert.Equal(404, (int)(await client.GetAsync(new Uri(endpoint.Address + "x"), TestContext.Current.CancellationToken)).StatusCode);
        using var nothing = new StringContent("");
        Assert.Equal(405, (int)(await client.PostAsync(new Uri(endpoint.Address), nothing, TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task A_caller_who_says_nothing_does_not_keep_the_endpoint_from_ending()
    {
        var endpoint = new MetricsEndpoint(0, () => "");
        using var silent = new System.Net.Sockets.TcpClient();
        await silent.ConnectAsync(new Uri(endpoint.Address).Host, new Uri(endpoint.Address).Port, TestContext.Current.CancellationToken);
        endpoint.Dispose();
        int read;
        try
        {
            read = await silent.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // Closed before it was accepted.
            read = 0;
        }

        Assert.Equal(0, read);
    }

    [Fact]
    public void A_port_that_somebody_has_is_refused_before_the_first_step()
    {
        using var taken = new MetricsEndpoint(0, () => "");
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("train", "--config", samples.RunFile, "--out", folder.File("out"), "--threads", "1", "--metrics-port", $"{new Uri(taken.Address).Port}");
        Assert.Contains("choose another port", run.Refusal(), StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("out", "metrics.jsonl")));
    }

    private string Train(TemporaryFolder folder, string name, params (string Field, double Value)[] changes)
    {
        string config = folder.Write("run-of-it.json", samples.Run(r =>
        {
            foreach (var (field, value) in changes) r[field] = value;
        }));
        var run = CliRun.Of("train", "--config", config, "--out", folder.File(name), "--threads", "1");
        Assert.True(run.Code == 0, run.Error);
        return folder.File(name);
    }
}
