using System.Text.Json;
using Hadal.Training.Metrics;

namespace Hadal.Training.Tests.Metrics;

public sealed class MetricsFollowerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hadal-follow-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string File => Path.Combine(_folder, "metrics.jsonl");

    [Fact]
    public void Each_look_gives_what_is_new_and_a_line_only_once_it_is_whole()
    {
        var follower = new MetricsFollower(File);
        Assert.Empty(follower.Look());
        string second = Line(2);
        Append(Line(1) + "\n" + second[..10]);
        Assert.Equal([1], Looked());
        Append(second[10..]);
        Assert.Empty(Looked());
        Append("\n" + Line(3) + "\n");
        Assert.Equal([2, 3], Looked());
        Assert.Empty(Looked());

        int[] Looked() => [.. follower.Look().Select(s => s.Step)];
    }

    [Fact]
    public void A_run_that_went_back_is_seen_from_there_on_without_its_past_again()
    {
        var follower = new MetricsFollower(File);
        Append(string.Concat(Enumerable.Range(1, 9).Select(i => Line(i) + "\n")));
        Assert.Equal(9, follower.Look().Count);
        System.IO.File.WriteAllText(File, string.Concat(Enumerable.Range(1, 4).Select(i => Line(i) + "\n")));
        Assert.Equal([4], follower.Look().Select(s => s.Step));
        Append(Line(5) + "\n");
        Assert.Equal([5], follower.Look().Select(s => s.Step));
    }

    [Fact]
    public void Damaged_lines_are_left_out()
    {
        var follower = new MetricsFollower(File);
        Append("{\n\0\0\0\nnull\n" + Line(1) + "\n{\"step\":");
        Assert.Equal([1], follower.Look().Select(s => s.Step));
        Assert.Equal([1], MetricsLog.Read(File).Select(s => s.Step));
    }

    [Fact]
    public void A_log_can_be_read_while_it_is_written()
    {
        using var log = MetricsLog.Open(File, 0);
        log.Append(Step(1));
        Assert.Equal([1], MetricsLog.Read(File).Select(s => s.Step));
        Assert.Equal([1], new MetricsFollower(File).Look().Select(s => s.Step));
    }

    private void Append(string text) => System.IO.File.AppendAllText(File, text);

    private static string Line(int step) => JsonSerializer.Serialize(Step(step));

    private static StepMetrics Step(int step) => new()
    {
        Step = step,
        Tokens = step,
        Loss = 1,
        MainLoss = 1,
        MtpLoss = [],
        BalanceLoss = 0,
        GradNorm = 1,
        LearningRate = 1,
        TokensPerSecond = 1,
        MaxViolation = [],
    };
}
