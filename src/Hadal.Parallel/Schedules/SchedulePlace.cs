namespace Hadal.Parallel.Schedules;

/// <summary>A stage as it lies in a pipeline: on a rank, in a direction.</summary>
/// <param name="Rank">The rank.</param>
/// <param name="Direction">See <see cref="ChunkId.Direction"/>.</param>
public readonly record struct SchedulePlace(int Rank, int Direction);
