namespace Hadal.Parallel.Simulation;

/// <summary>Seconds that the operations on a chunk of one stage take.</summary>
/// <param name="Forward">F.</param>
/// <param name="Backward">B: the whole backward, for inputs and weights.</param>
/// <param name="BackwardForInputs">The backward for inputs alone.</param>
/// <param name="WeightGradient">W: the weight gradient alone.</param>
public readonly record struct StageCosts(double Forward, double Backward, double BackwardForInputs, double WeightGradient)
{
    /// <summary>Costs in the report's symbols, where the two parts of a backward take as long as the whole.</summary>
    /// <param name="forward">F.</param>
    /// <param name="backward">B, weights included.</param>
    /// <param name="weights">W, at most B.</param>
    /// <returns>The costs.</returns>
    public static StageCosts Of(double forward, double backward, double weights) => new(forward, backward, backward - weights, weights);
}
