using Hadal.Parallel.Traces;

namespace Hadal.Parallel.Tests.Traces;

public class StepClockTests
{
    [Fact]
    public void On_one_machine_all_ranks_have_one_clock() => Assert.Equal([95, 95, 95], StepClock.Zeros([[7, 5, 40, 6, 100], [7, 1, 41, 9, 95], [7, 2, 42, 3, 97]]));

    [Fact]
    public void Between_machines_the_quickest_barrier_counts()
    {
        // Of three barriers the second kept its slowest rank 6 ticks, the others 50 and 30.
        long[][] readings = [[1, 50, 1000, 4, 1100, 30, 1200], [2, 10, 5010, 6, 5107, 8, 5230]];
        Assert.Equal([1100, 5107], StepClock.Zeros(readings));
    }
}
