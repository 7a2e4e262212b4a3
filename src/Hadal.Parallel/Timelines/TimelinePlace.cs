namespace Hadal.Parallel.Timelines;

/// <summary>A span of a timeline.</summary>
/// <param name="Lane">Which lane.</param>
/// <param name="Span">Which of its spans.</param>
public readonly record struct TimelinePlace(int Lane, int Span);
