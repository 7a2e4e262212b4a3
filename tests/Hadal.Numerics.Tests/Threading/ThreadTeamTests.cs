using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Tests.Threading;

public unsafe class ThreadTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Every_item_is_done_once_whatever_their_number(int threads)
    {
        using var team = new ThreadTeam(threads);
        int* counts = stackalloc int[64];
        for (int items = 0; items <= 64; items++)
        {
            new Span<int>(counts, 64).Clear();
            var job = new CountJob { Counts = counts, Threads = threads };
            team.Run(items, ref job);
            for (int i = 0; i < 64; i++) Assert.Equal(i < items ? 1 : 0, counts[i]);
        }
    }

    [Fact]
    public void Who_is_finished_does_what_is_left_of_the_share_of_a_slow_member()
    {
        using var team = new ThreadTeam(2);
        int* workers = stackalloc int[32];
        int done = 0;
        var job = new SlowFirstJob { Workers = workers, Done = &done, Items = 32 };
        team.Run(32, ref job);
        Assert.Equal(32, done);
        Assert.Equal(31, new Span<int>(workers, 32).Count(1 - workers[0]));
    }

    [Fact]
    public void An_exception_of_an_item_reaches_the_caller_and_the_team_goes_on()
    {
        using var team = new ThreadTeam(3);
        var failing = default(FailingJob);
        Assert.Throws<InvalidOperationException>(() =>
        {
            var job = failing;
            team.Run(100, ref job);
        });
        int* counts = stackalloc int[10];
        new Span<int>(counts, 10).Clear();
        var after = new CountJob { Counts = counts, Threads = 3 };
        team.Run(10, ref after);
        Assert.Equal(10, new Span<int>(counts, 10).Count(1));
    }

    private struct CountJob : ITeamJob
    {
        public int* Counts;
        public int Threads;

        public readonly void Execute(int item, int worker)
        {
            if ((uint)worker >= (uint)Threads) throw new InvalidOperationException($"There is no member {worker}.");
            Interlocked.Increment(ref Counts[item]);
        }
    }

    // The first item that starts waits until all others are done: only the other member can do them.
    private struct SlowFirstJob : ITeamJob
    {
        public int* Workers;
        public int* Done;
        public int Items;

        public readonly void Execute(int item, int worker)
        {
            Workers[item] = worker;
            if (item == 0)
            {
                while (Volatile.Read(ref *Done) < Items - 1) Thread.Yield();
            }

            Interlocked.Increment(ref *Done);
        }
    }

    private struct FailingJob : ITeamJob
    {
        public readonly void Execute(int item, int worker)
        {
            if (item == 70) throw new InvalidOperationException("Item 70.");
        }
    }
}
