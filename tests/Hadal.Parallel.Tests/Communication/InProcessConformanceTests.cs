using Hadal.Numerics;
using Hadal.Parallel.Worker.Conformance;

namespace Hadal.Parallel.Tests.Communication;

public class InProcessConformanceTests
{
    private static readonly int[] _sizes = [1, 2, 3, 4, 8];

    public static TheoryData<string, int> Cases => Data(CollectiveConformance.Cases, 1);

    public static TheoryData<string, int> EndingCases => Data(CollectiveConformance.EndingCases, 2);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Threads_keep_the_promise(string name, int size) => Try(CollectiveConformance.Cases, name, size);

    [Theory]
    [MemberData(nameof(EndingCases))]
    public void Threads_that_do_not_agree_hear_it(string name, int size) => Try(CollectiveConformance.EndingCases, name, size);

    [Fact]
    public void Threads_keep_all_promises_one_after_the_other_in_one_world() =>
        BoundedRanks.Run(4, group =>
        {
            using var backend = new CpuBackend(1);
            foreach (var trial in CollectiveConformance.Cases) trial.Body(group, backend);
        });

    private static void Try(IReadOnlyList<ConformanceCase> cases, string name, int size)
    {
        var trial = cases.Single(c => c.Name == name);
        BoundedRanks.Run(size, group =>
        {
            using var backend = new CpuBackend(1);
            trial.Body(group, backend);
        });
    }

    private static TheoryData<string, int> Data(IReadOnlyList<ConformanceCase> cases, int least)
    {
        var data = new TheoryData<string, int>();
        foreach (var trial in cases)
        {
            foreach (int size in _sizes.Where(s => s >= least)) data.Add(trial.Name, size);
        }

        return data;
    }
}
