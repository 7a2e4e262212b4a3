using System.Diagnostics;
using System.Globalization;
using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker;

/// <summary>What a group carries: latency and bandwidth between ranks 0 and 1, exchanges of all ranks, and how much a transfer slows a rank that computes.</summary>
internal static class Measurement
{
    public static void Run(ICollective group, string name)
    {
        using var backend = new CpuBackend(1);
        const long Most = 16 << 20;
        using Storage a = backend.CreateStorage(Most * group.Size), b = backend.CreateStorage(Most * group.Size);
        if (group.Rank == 0) Console.WriteLine($"{name}, {group.Size} ranks");
        PingPong(1 << 10, 2000);
        PingPong(1 << 20, 100);
        PingPong(16 << 20, 20);
        Exchange(4 << 20, 10);
        Barriers(500);
        Beside();

        void PingPong(long bytes, int rounds)
        {
            Tensor mine = a.View(0, DType.U8, new Shape(bytes)), theirs = b.View(0, DType.U8, new Shape(bytes));
            double seconds = Time(rounds, () =>
            {
                if (group.Rank == 0)
                {
                    group.Send(mine, 1).Wait();
                    group.Receive(theirs, 1).Wait();
                }
                else if (group.Rank == 1)
                {
                    group.Receive(theirs, 0).Wait();
                    group.Send(mine, 0).Wait();
                }
            }) / 2;
            Print($"one way, {bytes >> 10} KiB: {seconds * 1e6:F1} us, {bytes / seconds / 1e9:F2} GB/s");
        }

        void Exchange(long bytes, int rounds)
        {
            Tensor send = a.View(0, DType.U8, new Shape(group.Size, bytes)), receive = b.View(0, DType.U8, new Shape(group.Size, bytes));
            int[] rows = [.. Enumerable.Repeat(1, group.Size)];
            double seconds = Time(rounds, () => group.AllToAll(send, rows, receive, rows).Wait());
            Print($"exchange, {bytes >> 20} MiB per pair: {seconds * 1e3:F2} ms");
        }

        void Barriers(int rounds) => Print($"barrier: {Time(rounds, group.Barrier) * 1e6:F1} us");

        // A product of a fixed size, alone and while 16 MiB go to the neighbour and come from the other.
        void Beside()
        {
            using var room = backend.CreateStorage(3L * 512 * 512 * sizeof(float));
            Tensor x = Square(0), y = Square(1), z = Square(2);
            Tensor mine = a.View(0, DType.U8, new Shape(Most)), theirs = b.View(0, DType.U8, new Shape(Most));
            int next = (group.Rank + 1) % group.Size, previous = (group.Rank + group.Size - 1) % group.Size;
            int products = Math.Max(1, (int)(0.03 / Time(20, Product)));
            double computing = Time(10, Compute), moving = Time(10, () =>
            {
                var (send, receive) = Move();
                receive.Wait();
                send.Wait();
            });
            var waited = TimeSpan.Zero;
            double both = Time(10, () =>
            {
                var (send, receive) = Move();
                Compute();
                var before = group.Counters.TimeWaited;
                receive.Wait();
                send.Wait();
                waited += group.Counters.TimeWaited - before;
            });
            Print($"products {computing * 1e3:F1} ms, 16 MiB to the neighbour {moving * 1e3:F1} ms, both at once {both * 1e3:F1} ms, of it waiting {waited.TotalMilliseconds / 11:F1} ms");

            Tensor Square(int i) => room.View(i * 512L * 512 * sizeof(float), DType.F32, new Shape(512, 512));

            void Product() => backend.MatMul(x, false, y, false, z);

            void Compute()
            {
                for (int i = 0; i < products; i++) Product();
            }

            (ITransfer Send, ITransfer Receive) Move()
            {
                var receive = group.Receive(theirs, previous);
                return (group.Send(mine, next), receive);
            }
        }

        double Time(int rounds, Action action)
        {
            action();
            group.Barrier();
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < rounds; i++) action();
            return Stopwatch.GetElapsedTime(start).TotalSeconds / rounds;
        }

        void Print(FormattableString line)
        {
            if (group.Rank == 0) Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
        }
    }
}
