namespace Hadal.Parallel.Communication.InProcess;

/// <summary>What the ranks of a group share.</summary>
/// <param name="Number">Of its own in the world.</param>
/// <param name="Members">World ranks in the order of the group's.</param>
internal sealed record InProcessGroup(int Number, int[] Members);
