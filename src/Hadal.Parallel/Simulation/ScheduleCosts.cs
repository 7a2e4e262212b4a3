namespace Hadal.Parallel.Simulation;

/// <summary>What the operations of a schedule cost, given or measured.</summary>
/// <param name="Stages">[stages]: seconds of each stage's operations.</param>
/// <param name="Pair">Seconds of an overlapped forward of one stage (first argument) and whole backward of another (second argument).</param>
/// <param name="Message">What a message costs.</param>
public sealed record ScheduleCosts(IReadOnlyList<StageCosts> Stages, Func<int, int, double> Pair, MessageCosts Message)
{
    /// <summary>The same costs on every stage.</summary>
    /// <param name="stages">Stages of the model.</param>
    /// <param name="costs">Of each.</param>
    /// <param name="pair">F&amp;B, seconds.</param>
    /// <param name="message">What a message costs; nothing if null.</param>
    /// <returns>The costs.</returns>
    public static ScheduleCosts Uniform(int stages, StageCosts costs, double pair, MessageCosts? message = null) =>
        new([.. Enumerable.Repeat(costs, stages)], (_, _) => pair, message ?? MessageCosts.Free());
}
