namespace Hadal.Data.Pipeline.Work;

/// <summary>Where a build stands.</summary>
/// <param name="Stage">The stage under way.</param>
/// <param name="Done">Work of it that is done, in bytes or the like.</param>
/// <param name="Total">Of how much.</param>
/// <param name="Before">How much of it had been done when this process came to it.</param>
public readonly record struct BuildProgress(string Stage, long Done, long Total, long Before)
{
    /// <summary>Whether this process has done its share and waits for others.</summary>
    public bool IsWaiting { get; init; }
}
