using System.Runtime.InteropServices;
using Hadal.Numerics.Assembly;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Lanes;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Measurement;

/// <summary>Measures a processor's limits: memory read and arithmetic, with the widest registers it has.</summary>
/// <remarks>Each number is the best of several short runs, since whatever else the machine does can only make a run slower.</remarks>
public static unsafe class PeakMeasurement
{
    private const long SmallestBuffer = 512L << 20;
    private const int Repetitions = 40;
    private const double SecondsPerRun = 0.005;
    private const int Parts = 8;

    /// <summary>Measures with a number of threads; takes about two seconds.</summary>
    /// <param name="threads">Threads that work together, at least 1.</param>
    /// <param name="cancellation">Stops between two runs.</param>
    /// <returns>The limits.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is less than 1.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static PeakResult Measure(int threads, CancellationToken cancellation = default) =>
        Measure(threads, BufferBytes(), SecondsPerRun, Repetitions, cancellation);

    /// <summary>Measures the memory's read rate alone; takes a quarter of a second.</summary>
    /// <param name="threads">Threads that work together, at least 1.</param>
    /// <param name="cancellation">Stops between two runs.</param>
    /// <returns>10⁹ bytes per second.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is less than 1.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static double MeasureRead(int threads, CancellationToken cancellation = default)
    {
        using var team = new ThreadTeam(threads);
        using var race = new Race(team, Repetitions, cancellation);
        return MeasureRead(team, race, BufferBytes(), Repetitions);
    }

    internal static PeakResult Measure(int threads, long bufferBytes, double secondsPerRun, int repetitions, CancellationToken cancellation)
    {
        using var team = new ThreadTeam(threads);
        using var race = new Race(team, repetitions, cancellation);
        double fp32 = KernelForms.Available[0] switch
        {
            KernelForm.Assembled512 or KernelForm.Vector512 => race.BestRate(new ChainJob<Lanes512>(), secondsPerRun),
            KernelForm.Assembled256 or KernelForm.Assembled256Plain or KernelForm.Vector256 => race.BestRate(new ChainJob<Lanes256>(), secondsPerRun),
            _ => race.BestRate(new ChainJob<Lanes128>(), secondsPerRun),
        };
        bool placeable = ExecutableMemory.Refusal is null;
        double? bf16 = placeable && ProcessorFeatures.HasBFloat16Dot512 ? race.BestRate(Assembled(integers: false), secondsPerRun) : null;
        double? int8 = placeable && ProcessorFeatures.HasByteDot512 ? race.BestRate(Assembled(integers: true), secondsPerRun)
            : IntegerDotJob.IsSupported ? race.BestRate(new IntegerDotJob(), secondsPerRun) : null;
        return new PeakResult(threads, MeasureRead(team, race, bufferBytes, repetitions), fp32 / 1e9, bf16 / 1e9, int8 / 1e9);
    }

    private static AssembledChainJob Assembled(bool integers)
    {
        var code = new DotPeakCode(integers);
        return new AssembledChainJob { Kernel = (delegate* unmanaged[SuppressGCTransition]<void*, void>)code.Place(), OperationsPerCall = code.Operations };
    }

    private static double MeasureRead(ThreadTeam team, Race race, long bufferBytes, int repetitions)
    {
        long perThread = bufferBytes / Parts / team.Threads / ReadJob.Granularity * ReadJob.Granularity, part = perThread * team.Threads;
        var buffer = (byte*)NativeMemory.AlignedAlloc((nuint)(part * Parts), 4096);
        try
        {
            // Pages exist only once they are written, so the fill is what makes this a measurement of memory.
            var fill = new FillJob { Buffer = buffer, BytesPerItem = part };
            team.Run(Parts, ref fill);
            double best = 0;
            // One part after the other: each has left the caches by the time its turn comes again, and a run is short.
            for (int i = 0; i < repetitions; i++)
            {
                var job = new ReadJob { Buffer = buffer + i % Parts * part, BytesPerThread = perThread };
                double rate = KernelForms.Available[0] switch
                {
                    KernelForm.Assembled512 or KernelForm.Vector512 => race.Rate(new ReadJob<Lanes512> { Range = job }, 1),
                    KernelForm.Assembled256 or KernelForm.Assembled256Plain or KernelForm.Vector256 => race.Rate(new ReadJob<Lanes256> { Range = job }, 1),
                    _ => race.Rate(new ReadJob<Lanes128> { Range = job }, 1),
                };
                best = Math.Max(best, rate);
            }

            return best / 1e9;
        }
        finally
        {
            NativeMemory.AlignedFree(buffer);
        }
    }

    // Larger than the last-level cache, which Linux tells; elsewhere larger than any usual one.
    private static long BufferBytes()
    {
        long cache = 0;
        try
        {
            string text = File.ReadAllText("/sys/devices/system/cpu/cpu0/cache/index3/size").Trim();
            if (text.EndsWith('K') && long.TryParse(text.AsSpan(0, text.Length - 1), out long kilobytes)) cache = kilobytes << 10;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }

        long affordable = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
        return Math.Min(Math.Max(SmallestBuffer, 4 * cache), Math.Max(affordable, 64L << 20));
    }

    private struct FillJob : ITeamJob
    {
        public byte* Buffer;
        public long BytesPerItem;

        public readonly void Execute(int item, int worker) => NativeMemory.Fill(Buffer + item * BytesPerItem, (nuint)BytesPerItem, 0);
    }
}
