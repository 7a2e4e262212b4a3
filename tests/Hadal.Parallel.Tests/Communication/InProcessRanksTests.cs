using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Communication.InProcess;

namespace Hadal.Parallel.Tests.Communication;

public class InProcessRanksTests
{
    [Fact]
    public void The_exception_of_the_rank_that_failed_comes_out_and_the_others_hear_its_name_and_reason()
    {
        var heard = new string?[4];
        var thrown = Assert.Throws<InvalidDataException>(() => BoundedRanks.Run(4, group =>
        {
            using var memory = Memory();
            if (group.Rank == 2)
            {
                Thread.Sleep(20);
                throw new InvalidDataException("the shard is torn");
            }

            heard[group.Rank] = Assert.Throws<CollectiveException>(() => Wait(group, memory)).Message;
            heard[group.Rank] += Assert.Throws<CollectiveException>(group.Barrier).Message;
        }));
        Assert.Equal("the shard is torn", thrown.Message);
        foreach (int rank in new[] { 0, 1, 3 }) Assert.Equal("Rank 2 gave up: the shard is torn" + "Rank 2 gave up: the shard is torn", heard[rank]);

        static void Wait(ICollective group, Storage memory)
        {
            if (group.Rank == 0) group.Receive(Floats(memory), 2).Wait();
            else if (group.Rank == 1) group.Barrier();
            else group.Send(Floats(memory), 2, 8).Wait();
        }
    }

    [Fact]
    public void A_rank_that_aborts_ends_the_waits_of_all_groups()
    {
        var thrown = Assert.Throws<CollectiveException>(() => BoundedRanks.Run(3, group =>
        {
            using var pair = group.Split(group.Rank / 2, 0);
            if (group.Rank == 2) pair.Abort("out of disk");
            else pair.Receive(Floats(Memory()), 1 - group.Rank).Wait();
        }));
        Assert.Equal("Rank 2 gave up: out of disk", thrown.Message);
    }

    [Fact]
    public void A_rank_that_ends_while_another_waits_for_it_is_named()
    {
        var waiting = Assert.Throws<CollectiveException>(() => BoundedRanks.Run(2, group =>
        {
            using var memory = Memory();
            if (group.Rank == 1) Thread.Sleep(50);
            else group.Receive(Floats(memory), 1, 4).Wait();
        }));
        Assert.Equal("Rank 1 has left the group, but rank 0 expects 64 bytes from rank 1 (tag 4).", waiting.Message);

        var late = Assert.Throws<CollectiveException>(() => BoundedRanks.Run(2, group =>
        {
            using var memory = Memory();
            if (group.Rank == 1) return;
            Thread.Sleep(50);
            group.Send(Floats(memory), 1).Wait();
        }));
        Assert.Equal("Rank 1 has left the group, but rank 0 sends 64 bytes to rank 1 (tag 0).", late.Message);
    }

    [Fact]
    public void Ranks_that_call_different_operations_hear_which()
    {
        var thrown = Assert.Throws<CollectiveException>(() => BoundedRanks.Run(2, group =>
        {
            using var memory = Memory();
            if (group.Rank == 0) group.Broadcast(Floats(memory), 0).Wait();
            else group.Barrier();
        }));
        Assert.Contains("Two ranks do not agree about what moves between them", thrown.Message);
        Assert.Contains("rank 0 sends 64 bytes to rank 1 (Broadcast, operation 0 of its group)", thrown.Message);
        Assert.Contains("rank 1 expects 0 bytes from rank 0 (Barrier, operation 0 of its group)", thrown.Message);
    }

    [Fact]
    public void A_run_can_be_cancelled_while_ranks_wait()
    {
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => BoundedRanks.Run(3, group =>
        {
            using var memory = Memory();
            if (group.Rank == 2) source.Cancel();
            group.Receive(Floats(memory), (group.Rank + 1) % 3).Wait();
        }, source));
    }

    [Fact]
    public void Memory_of_a_rank_that_fails_is_not_given_back_while_another_copies_from_it()
    {
        // Rank 0 offers a large tensor and fails about when rank 1 comes for it; its memory goes when its frames are left.
        for (int round = 0; round < 40; round++)
        {
            int turn = round;
            Assert.Throws<InvalidDataException>(() => BoundedRanks.Run(2, group =>
            {
                using var backend = new CpuBackend(1);
                using var memory = backend.CreateStorage(32 << 20);
                var values = memory.View(0, DType.U8, new Shape(32 << 20));
                if (group.Rank == 0)
                {
                    _ = group.Send(values, 1);
                    Thread.SpinWait(turn * 2000);
                    throw new InvalidDataException();
                }

                group.Receive(values, 0).Wait();
                group.Barrier();
            }));
        }
    }

    [Fact]
    public void Memory_that_is_gone_is_an_error_of_both_ranks()
    {
        var thrown = Assert.Throws<CollectiveException>(() => BoundedRanks.Run(2, group =>
        {
            using var memory = Memory();
            var values = Floats(memory);
            if (group.Rank == 0)
            {
                var send = group.Send(values, 1);
                memory.Dispose();
                group.Receive(Floats(Memory()), 1, 1).Wait();
                send.Wait();
            }
            else
            {
                Thread.Sleep(20);
                group.Receive(values, 0).Wait();
            }
        }));
        Assert.StartsWith("What moves from rank 0 to rank 1 could not be copied:", thrown.Message);
    }

    [Fact]
    public void Arguments_that_cannot_be_meant_are_refused()
    {
        var group = new InProcessWorld(2)[0];
        using var memory = Memory();
        var values = memory.View(0, DType.F32, new Shape(4, 4));
        Assert.Contains("ranks 0 to 1, not 2", Assert.Throws<ArgumentOutOfRangeException>(() => group.Send(values, 2)).Message);
        Assert.Contains("0 to 32767, not -1", Assert.Throws<ArgumentOutOfRangeException>(() => group.Receive(values, 1, -1)).Message);
        Assert.Contains("gaps", Assert.Throws<ArgumentException>(() => group.Send(values.ColumnRange(0, 2), 1)).Message);
        Assert.Contains("no tensor", Assert.Throws<ArgumentException>(() => group.Broadcast(default, 0)).Message);
        Assert.Contains("do not make", Assert.Throws<ArgumentException>(() => group.AllGather(values, values)).Message);
        Assert.Contains("together", Assert.Throws<ArgumentException>(() => group.AllToAll(values, [1, 2], values, [1, 3])).Message);
        Assert.Contains("to itself", Assert.Throws<ArgumentException>(() => group.AllToAll(values, [1, 3], values, [2, 2])).Message);
        Assert.Contains("negative", Assert.Throws<ArgumentException>(() => group.AllToAll(values, [-1, 5], values, [1, 3])).Message);
        Assert.Contains("of a group of 2", Assert.Throws<ArgumentException>(() => group.AllToAll(values, [4], values, [4])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => group.Split(-1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => BoundedRanks.Run(0, _ => { }));
    }

    private static Storage Memory()
    {
        using var backend = new CpuBackend(1);
        return backend.CreateStorage(64);
    }

    private static Tensor Floats(Storage memory) => memory.View(0, DType.F32, new Shape(16));
}
