using System.Text.Json;
using System.Text.RegularExpressions;

namespace Hadal.Cli.Tests;

public class PlanScheduleTests
{
    [Theory]
    [InlineData("dualpipe", 8, 20)]
    [InlineData("dualpipev", 4, 8)]
    public void Operations_are_printed_as_JSON_in_the_notation_of_the_golden_file(string kind, int ranks, int microBatches)
    {
        var result = Plan("--kind", kind, "--ranks", $"{ranks}", "--micro-batches", $"{microBatches}", "--json").Json();
        var golden = GoldenData.Json("dualpipe.json").GetProperty(kind).EnumerateArray().Single(c => c.GetProperty("pp_ranks").GetInt32() == ranks && c.GetProperty("micro_batches").GetInt32() == microBatches);
        Assert.Equal(Texts(golden.GetProperty("ranks")), result.GetProperty("ranks").EnumerateArray().Select(r => string.Join(' ', Texts(r))));
        Assert.Equal(Texts(golden.GetProperty("timeline")), Texts(result.GetProperty("timeline")));
    }

    [Theory]
    [InlineData("1f1b", 9)]
    [InlineData("ZB1P", 3)]
    [InlineData("dualpipe", 2)]
    [InlineData("dualpipev", 6)]
    public void The_bubble_and_the_activations_are_simulated(string kind, double bubble)
    {
        var result = Plan("--kind", kind, "--ranks", "4", "--micro-batches", "12", "--json").Json();
        Assert.All(result.GetProperty("bubbles").Numbers(), b => Assert.Equal(bubble, b, 1e-9));
        Assert.Equal(4, result.GetProperty("peak_activations").GetArrayLength());
        Assert.Equal(bubble / result.GetProperty("duration").GetDouble(), result.GetProperty("bubble_fraction").GetDouble(), 1e-9);
    }

    [Fact]
    public void Costs_change_the_times()
    {
        string[] schedule = ["--kind", "dualpipe", "--ranks", "4", "--micro-batches", "8", "--json"];
        double plain = Duration(schedule), overlapped = Duration([.. schedule, "--pair", "2.5"]), slow = Duration([.. schedule, "--forward", "2"]), messages = Duration([.. schedule, "--message", "0.1"]);
        Assert.True(overlapped < plain && plain < messages && messages < slow);
    }

    [Fact]
    public void A_schedule_that_cannot_be_is_refused_with_the_rule()
    {
        Assert.Contains("even number of ranks", Plan("--kind", "dualpipe", "--ranks", "3", "--micro-batches", "12").Refusal(), StringComparison.Ordinal);
        Assert.Contains("at least 8, not 6", Plan("--kind", "dualpipev", "--ranks", "4", "--micro-batches", "6").Refusal(), StringComparison.Ordinal);
        Assert.Contains("1f1b, zb1p, dualpipe, dualpipev", Plan("--kind", "gpipe", "--ranks", "4", "--micro-batches", "6").Refusal(), StringComparison.Ordinal);
        Assert.Contains("a part of the backward", Plan("--kind", "1f1b", "--ranks", "4", "--micro-batches", "6", "--weights", "2").Refusal(), StringComparison.Ordinal);
        Assert.Contains("from 1 to 1024", Plan("--kind", "1f1b", "--ranks", "0", "--micro-batches", "6").Refusal(), StringComparison.Ordinal);
        Assert.Contains("--pair", Plan("--kind", "1f1b", "--ranks", "2", "--micro-batches", "6", "--pair", "-1").Refusal(), StringComparison.Ordinal);
        Assert.Contains("draws at most 200000 operations", Plan("--kind", "1f1b", "--ranks", "8", "--micro-batches", "20000", "--view", "too-large.html").Refusal(), StringComparison.Ordinal);
        Assert.Contains("--view", Plan("--kind", "1f1b", "--ranks", "2", "--micro-batches", "6", "--view", Path.GetTempPath()).Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_terminal_the_ranks_are_printed_in_notation()
    {
        string[] lines = Plan("--kind", "1f1b", "--ranks", "2", "--micro-batches", "2").Out.Split('\n');
        Assert.Equal("F.0.0 [SF.0.0@1] F.0.1 [SF.0.1@1,RB.0.0@1] B.0.0 [RB.0.1@1] B.0.1", lines[0]);
        Assert.Contains("  bubble: 33.3% of the ranks' time, 3 a rank", lines);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void On_a_terminal_a_line_for_each_rank_is_drawn_to_scale(bool colors)
    {
        var run = CliRun.OnTerminal(colors, "", "plan", "schedule", "--kind", "1f1b", "--ranks", "2", "--micro-batches", "2");
        Assert.Equal(0, run.Code);
        string plain = Regex.Replace(run.Out, "\e\\[[0-9;]*m", "");
        Assert.Equal(colors, run.Out.Split('\n').First(l => l.Contains("rank 1", StringComparison.Ordinal)).Contains("\e[", StringComparison.Ordinal));
        string[] ranks = [.. plain.Split('\n').Where(l => l.StartsWith("rank ", StringComparison.Ordinal))];
        Assert.Equal(2, ranks.Length);
        Assert.StartsWith("rank 1 ·····", ranks[1], StringComparison.Ordinal);
        if (colors) return;

        // F F . . B B . . . wait: forward of 1, then 3 of waiting for rank 1's backward, in ninths of the width.
        int columns = ranks[0].Length - "rank 0 ".Length;
        Assert.InRange(ranks[0].Count(c => c == 'F'), 2 * columns / 9 - 2, 2 * columns / 9 + 2);
        Assert.InRange(ranks[0].Count(c => c == 'B'), 4 * columns / 9 - 2, 4 * columns / 9 + 2);
        Assert.InRange(ranks[0].Count(c => c == '·'), 3 * columns / 9 - 2, 3 * columns / 9 + 2);
    }

    private static CliRun Plan(params string[] arguments) => CliRun.Of(["plan", "schedule", .. arguments]);

    private static double Duration(string[] arguments) => Plan(arguments).Json().GetProperty("duration").GetDouble();

    private static IEnumerable<string> Texts(JsonElement array) => array.EnumerateArray().Select(e => e.GetString()!);
}
