namespace Hadal.Inference.Experts;

/// <summary>What a cache of routed experts has done.</summary>
public sealed record ExpertStatistics
{
    /// <summary>Uses of an expert by a layer in a step whose weights were in memory.</summary>
    public long Hits { get; init; }

    /// <summary>Uses whose weights were not there yet, though perhaps on the way.</summary>
    public long Misses { get; init; }

    /// <summary>Experts that were read because the next layer was predicted to use them.</summary>
    public long Prefetched { get; init; }

    /// <summary>Of those, the ones that the layer did use.</summary>
    public long PrefetchedUsed { get; init; }

    /// <summary>Bytes of experts read.</summary>
    public long BytesRead { get; init; }

    /// <summary>Of those, the bytes of experts that were used after they were read.</summary>
    public long BytesUsed { get; init; }

    /// <summary>Seconds in which a step stood still until experts were read.</summary>
    public double WaitSeconds { get; init; }

    /// <summary>Seconds in which a step arranged experts that were read.</summary>
    public double ArrangeSeconds { get; init; }

    /// <summary>Seconds that all steps took.</summary>
    public double StepSeconds { get; init; }

    /// <summary>Experts in memory now.</summary>
    public int Resident { get; init; }

    /// <summary>Experts that the memory left to them holds now.</summary>
    public int Capacity { get; init; }

    /// <summary>Experts that the model has.</summary>
    public int Total { get; init; }

    /// <summary>Bytes that an expert takes in memory.</summary>
    public long ExpertBytes { get; init; }

    /// <summary>Hits over uses; null before the first use.</summary>
    public double? HitRate => Hits + Misses == 0 ? null : (double)Hits / (Hits + Misses);

    /// <summary>Share of the experts read ahead that were used; null if none was read ahead.</summary>
    public double? PrefetchAccuracy => Prefetched == 0 ? null : (double)PrefetchedUsed / Prefetched;

    /// <summary>Share of the time in which a step stood still until experts were read.</summary>
    public double DiskShare => StepSeconds > 0 ? WaitSeconds / StepSeconds : 0;

    /// <summary>What happened after an earlier look; the present state stays.</summary>
    /// <param name="earlier">The earlier look.</param>
    /// <returns>The differences.</returns>
    public ExpertStatistics Since(ExpertStatistics earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        return this with
        {
            Hits = Hits - earlier.Hits,
            Misses = Misses - earlier.Misses,
            Prefetched = Prefetched - earlier.Prefetched,
            PrefetchedUsed = PrefetchedUsed - earlier.PrefetchedUsed,
            BytesRead = BytesRead - earlier.BytesRead,
            BytesUsed = BytesUsed - earlier.BytesUsed,
            WaitSeconds = WaitSeconds - earlier.WaitSeconds,
            ArrangeSeconds = ArrangeSeconds - earlier.ArrangeSeconds,
            StepSeconds = StepSeconds - earlier.StepSeconds,
        };
    }
}
