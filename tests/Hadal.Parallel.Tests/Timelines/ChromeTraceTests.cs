using System.Text.Json;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Simulation;
using Hadal.Parallel.Timelines;

namespace Hadal.Parallel.Tests.Timelines;

public class ChromeTraceTests
{
    [Fact]
    public void What_is_written_is_read_again()
    {
        using var folder = new TemporaryFolder();
        var schedule = Schedule.Create(ScheduleKind.DualPipe, 4, 8);
        var timeline = ScheduleSimulator.Simulate(schedule, ScheduleCosts.Uniform(4, StageCosts.Of(0.1, 0.2, 0.1), 0.25, new MessageCosts(0.001, 1, 100)));
        timeline = new Timeline(timeline.Title, timeline.Lanes) { Figures = new Dictionary<string, double> { ["hidden_fraction"] = 0.75 } };
        using (var file = File.Create(folder.File("trace.json"))) ChromeTrace.Write(timeline, file);

        var read = ChromeTrace.Read(folder.File("trace.json"));

        Assert.Equal("DualPipe, 4 ranks, 8 micro-batches", read.Title);
        Assert.Equal(timeline.Figures, read.Figures);
        Assert.Equal(timeline.Duration, read.Duration, 1e-9);
        Assert.Equal(timeline.BubbleFraction, read.BubbleFraction, 1e-9);
        Assert.Equal(timeline.Lanes.Select(l => l.Name), read.Lanes.Select(l => l.Name));
        for (int r = 0; r < 4; r++)
        {
            Assert.Equal(timeline.Lanes[r].Spans.Select(s => s.Operation), read.Lanes[r].Spans.Select(s => s.Operation));
            Assert.Equal(timeline.Lanes[r].Activations.Peak, read.Lanes[r].Activations.Peak);
        }
    }

    [Fact]
    public void Events_that_are_no_operations_stand_in_lanes_of_their_own()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("trace.json", """
            [{"name":"thread_name","ph":"M","pid":1,"tid":7,"args":{"name":"rank 0"}},
             {"name":"F.0.0","ph":"X","pid":1,"tid":7,"ts":5000000,"dur":1000000},
             {"name":"dispatch","ph":"X","pid":1,"tid":7,"ts":5200000,"dur":300000},
             {"name":"counter","ph":"C","pid":1,"tid":7,"ts":5200000,"args":{"x":1}},
             {"name":"combine","ph":"X","pid":1,"tid":"8","ts":"6000000","dur":500000}]
            """);
        var timeline = ChromeTrace.Read(path);
        Assert.Equal("trace.json", timeline.Title);
        Assert.Equal(["rank 0", "rank 0: other", "8"], timeline.Lanes.Select(l => l.Name));
        Assert.Equal([true, false, false], timeline.Lanes.Select(l => l.HasOperations));
        Assert.Equal(1.5, timeline.Duration, 1e-9);
        Assert.Equal(0.2, timeline.Lanes[1].Spans[0].Start, 1e-9);
        Assert.Equal(1 - 1 / 1.5, timeline.BubbleFraction, 1e-9);
    }

    [Fact]
    public void Events_inside_each_other_are_shared_out_over_lanes()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("trace.json", """
            [{"name":"whole","ph":"X","ts":0,"dur":100},{"name":"part","ph":"X","ts":10,"dur":40},{"name":"deep","ph":"X","ts":20,"dur":10},{"name":"part 2","ph":"X","ts":50,"dur":40},
             {"name":"after","ph":"X","ts":100,"dur":5}]
            """);
        Assert.Equal(["whole after", "part part 2", "deep"], ChromeTrace.Read(path).Lanes.Select(l => string.Join(' ', l.Spans.Select(s => s.Name))));
    }

    [Fact]
    public void Operations_that_overlap_are_refused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("trace.json", """[{"name":"F.0.0","ph":"X","ts":0,"dur":100},{"name":"F.0.1","ph":"X","ts":50,"dur":100}]""");
        Assert.Contains("F.0.1 of '0' begins before F.0.0 has ended", Assert.Throws<TimelineException>(() => ChromeTrace.Read(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "this is no JSON")]
    [InlineData("{}", "no array of events")]
    [InlineData("3", "no array of events")]
    [InlineData("[]", "no complete event")]
    [InlineData("[3]", "event 0 is no object")]
    [InlineData("""[{"ph":"X","name":"F.0.0"}]""", "event 0 has no 'ts'")]
    [InlineData("""[{"ph":"X","name":"F.0.0","ts":{}}]""", "a 'ts' that is no number")]
    [InlineData("""[{"ph":"X","name":"F.0.0","ts":1,"dur":-1}]""", "no duration of 0 or more")]
    [InlineData("""[{"ph":"X","name":"F.0.0","ts":1e999,"dur":1}]""", "no duration of 0 or more")]
    public void A_file_that_is_no_trace_is_refused_with_the_reason(string text, string part)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("trace.json", text);
        var e = Assert.Throws<TimelineException>(() => ChromeTrace.Read(path));
        Assert.Contains(part, e.Message, StringComparison.Ordinal);
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_traces_are_read_or_refused_but_never_crash()
    {
        using var folder = new TemporaryFolder();
        using var whole = new MemoryStream();
        ChromeTrace.Write(ScheduleSimulator.Simulate(Schedule.Create(ScheduleKind.ZeroBubble, 2, 2), ScheduleCosts.Uniform(2, StageCosts.Of(1, 2, 1), 3)), whole);
        var random = new Random(5);
        for (int i = 0; i < 300; i++)
        {
            byte[] bytes = whole.ToArray();
            for (int k = random.Next(1, 4); k > 0; k--) bytes[random.Next(bytes.Length)] = (byte)"0123456789{}[],:\"x-e "[random.Next(21)];
            string path = folder.Write("trace.json", bytes);
            try
            {
                Assert.True(ChromeTrace.Read(path).Lanes.Count > 0);
            }
            catch (TimelineException e)
            {
                Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("F.0.3")]
    [InlineData("B.1.2")]
    [InlineData("Bi.0.17")]
    [InlineData("W.1.0")]
    [InlineData("FB.0.3.1.1")]
    public void Operations_are_read_as_they_are_written(string text)
    {
        Assert.True(ScheduleOperation.TryParse(text, out var operation));
        Assert.Equal(text, operation.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("F")]
    [InlineData("F.0")]
    [InlineData("F.0.1.0.1")]
    [InlineData("FB.0.1")]
    [InlineData("F.2.1")]
    [InlineData("F.0.-1")]
    [InlineData("Forward.0.1")]
    [InlineData("F.0.99999999999")]
    public void Other_names_are_no_operations(string text) => Assert.False(ScheduleOperation.TryParse(text, out _));

    [Fact]
    public void What_is_written_is_JSON_that_names_its_parts()
    {
        using var stream = new MemoryStream();
        ChromeTrace.Write(ScheduleSimulator.Simulate(Schedule.Create(ScheduleKind.OneForwardOneBackward, 2, 2), ScheduleCosts.Uniform(2, StageCosts.Of(1, 2, 1), 3)), stream);
        using var json = JsonDocument.Parse(stream.ToArray());
        var events = json.RootElement.GetProperty("traceEvents").EnumerateArray().ToArray();
        Assert.Equal(2, events.Count(e => e.GetProperty("ph").GetString() == "M"));
        Assert.Equal(8, events.Count(e => e.GetProperty("ph").GetString() == "X"));
        Assert.Equal(8, events.Count(e => e.GetProperty("ph").GetString() == "C"));
        Assert.All(events.Where(e => e.GetProperty("ph").GetString() == "X" && e.GetProperty("cat").GetString() == "Forward"), e => Assert.Equal(1e6, e.GetProperty("dur").GetDouble(), 1e-3));
    }
}
