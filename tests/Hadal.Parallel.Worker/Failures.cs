using System.Runtime.CompilerServices;
using Hadal.Numerics;
using Hadal.Parallel.Communication.Mpi;

namespace Hadal.Parallel.Worker;

/// <summary>Ways in which rank 1 fails while the others wait for it.</summary>
internal static class Failures
{
    public static void Run(MpiWorld world, string way)
    {
        var group = world.Group;
        using var backend = new CpuBackend(1);
        using var memory = backend.CreateStorage(1 << 20);
        var values = memory.View(0, DType.F32, new Shape(1 << 18));

        // What a test reads before it kills or cuts.
        Console.WriteLine($"rank {group.Rank} is process {Environment.ProcessId} on {world.Host}");
        group.Barrier();
        if (group.Rank == 1)
        {
            switch (way)
            {
                case "throw":
                    throw new InvalidDataException("the shard is torn");
                case "abort":
                    group.Abort("out of disk");
                    break;
                case "leave":
                    return;
                case "exit":
                    Environment.Exit(3);
                    break;
                case "unhandled":
                    new Thread(() => throw new InvalidDataException("on another thread")).Start();
                    break;
                case "caught":
                    // A null reference is the runtime's own signal, which a communication library must leave to it.
                    for (int i = 0; i < 100; i++)
                    {
                        try
                        {
                            _ = Length(null);
                        }
                        catch (NullReferenceException)
                        {
                        }
                    }

                    break;
            }
        }

        // Everybody else, and rank 1 where it lives on, passes a megabyte around: for ever, unless this is about nothing that ends.
        int next = (group.Rank + 1) % group.Size, previous = (group.Rank + group.Size - 1) % group.Size;
        using var other = backend.CreateStorage(1 << 20);
        var received = other.View(0, DType.F32, new Shape(1 << 18));
        for (int round = 0; way != "caught" || round < 10; round++)
        {
            var send = group.Send(values, next);
            group.Receive(received, previous).Wait();
            send.Wait();
            Thread.Sleep(10);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Length(string? text) => text!.Length;
}
