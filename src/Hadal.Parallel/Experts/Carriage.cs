namespace Hadal.Parallel.Experts;

/// <summary>What travels between tokens and experts, once each for a layer and micro-batch.</summary>
internal enum Carriage
{
    /// <summary>Rows to their experts.</summary>
    Dispatch,

    /// <summary>Results back to their tokens.</summary>
    Combine,

    /// <summary>Gradients of results to the experts that made them.</summary>
    GradientDispatch,

    /// <summary>Gradients of rows and gate weights back to the tokens.</summary>
    GradientCombine,
}
