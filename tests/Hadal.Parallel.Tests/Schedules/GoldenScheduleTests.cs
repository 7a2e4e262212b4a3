using Hadal.Parallel.Schedules;

namespace Hadal.Parallel.Tests.Schedules;

/// <summary>The schedules as the published DualPipe code runs them.</summary>
public class GoldenScheduleTests
{
    public static TheoryData<string, int, int> Cases()
    {
        var cases = new TheoryData<string, int, int>();
        foreach (string name in (string[])["dualpipe", "dualpipev"])
            foreach (var c in GoldenData.Json("dualpipe.json").GetProperty(name).EnumerateArray()) cases.Add(name, c.GetProperty("pp_ranks").GetInt32(), c.GetProperty("micro_batches").GetInt32());
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Operations_are_those_of_the_published_code(string name, int ranks, int microBatches)
    {
        var schedule = Schedule.Create(ScheduleNames.Parse(name), ranks, microBatches);
        Assert.Equal(Expected(name, ranks, microBatches, "ranks"), schedule.Ranks.Select(r => r.OperationText));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Messages_are_batched_as_in_the_published_code(string name, int ranks, int microBatches)
    {
        var schedule = Schedule.Create(ScheduleNames.Parse(name), ranks, microBatches);
        Assert.Equal(Expected(name, ranks, microBatches, "timeline"), schedule.Ranks.Select(r => r.ToString()));
    }

    [Fact]
    public void There_are_golden_schedules_of_both_kinds() => Assert.Equal(["dualpipe", "dualpipev"], Cases().Select(c => c.Data.Item1).Distinct());

    private static IEnumerable<string> Expected(string name, int ranks, int microBatches, string field) => GoldenData.Json("dualpipe.json").GetProperty(name).EnumerateArray()
        .Single(c => c.GetProperty("pp_ranks").GetInt32() == ranks && c.GetProperty("micro_batches").GetInt32() == microBatches)
        .GetProperty(field).EnumerateArray().Select(r => r.GetString()!);
}
