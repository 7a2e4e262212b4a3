using Hadal.Numerics;
using Hadal.Training.Layers;

namespace Hadal.Training.Experts;

/// <summary>Carries rows from their tokens to the experts that were chosen for them and back, and gradients the same ways (report section 3.2.2).</summary>
/// <remarks>
/// Legend: T rows, C experts chosen per row, S rows at the experts that live here, D width. Every carriage begins with one call and ends with another; between the two the caller may compute something
/// else. In the forward dispatch, then combine; in the backward gradient dispatch, then gradient combine, then the rows once more for the weight gradients.
/// </remarks>
internal interface IExpertExchange
{
    /// <summary>The first expert that lives here.</summary>
    int FirstExpert { get; }

    /// <summary>How many do.</summary>
    int Experts { get; }

    /// <summary>Memory of one layer and micro-batch.</summary>
    ExpertExchangeState CreateState();

    /// <summary>Begins to send rows to their experts.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">[T, D]; unchanged until <see cref="EndDispatch"/>.</param>
    /// <param name="experts">I32 [T, C].</param>
    /// <param name="weights">[T, C]: gate weights.</param>
    /// <param name="state">Of the layer.</param>
    void BeginDispatch(MicroBatchContext c, Tensor x, Tensor experts, Tensor weights, ExpertExchangeState state);

    /// <summary>The rows that arrived: rows in temporary memory, the rest kept.</summary>
    ExpertRows EndDispatch(MicroBatchContext c, ExpertExchangeState state);

    /// <summary>Begins to send results back.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="y">[S, D]; unchanged until <see cref="EndCombine"/>.</param>
    /// <param name="state">Of the layer.</param>
    void BeginCombine(MicroBatchContext c, Tensor y, ExpertExchangeState state);

    /// <summary>y[t] (+)= Σ of the results for row t, in the order of its choices.</summary>
    void EndCombine(MicroBatchContext c, Tensor y, bool accumulate, ExpertExchangeState state);

    /// <summary>Begins to send gradients for the results to where these were made.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="dy">[T, D]; unchanged until <see cref="EndGradientDispatch"/>.</param>
    /// <param name="state">Of the layer.</param>
    void BeginGradientDispatch(MicroBatchContext c, Tensor dy, ExpertExchangeState state);

    /// <summary>The gradients [S, D] that arrived, in memory of <see cref="MicroBatchContext.GradientMatrix"/>.</summary>
    Tensor EndGradientDispatch(MicroBatchContext c, ExpertExchangeState state);

    /// <summary>Begins to send gradients for the rows and for the gate weights back.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="dRows">[S, D]; unchanged until <see cref="AddGradient"/>.</param>
    /// <param name="dWeights">[S]; likewise.</param>
    /// <param name="state">Of the layer.</param>
    void BeginGradientCombine(MicroBatchContext c, Tensor dRows, Tensor dWeights, ExpertExchangeState state);

    /// <summary>Waits, and gives the gradients for the gate weights.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="dWeights">[T, C], replaced.</param>
    /// <param name="state">Of the layer.</param>
    void EndGradientCombine(MicroBatchContext c, Tensor dWeights, ExpertExchangeState state);

    /// <summary>dx[t] += Σ of the gradients that came back for row t, in the order of its choices. Behind <see cref="EndGradientCombine"/>.</summary>
    void AddGradient(MicroBatchContext c, Tensor dx, ExpertExchangeState state);

    /// <summary>The rows [S, D] of <see cref="EndDispatch"/> once more, as they were kept, in temporary memory.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="x">[T, D]: what was dispatched, as it was kept.</param>
    /// <param name="state">Of the layer.</param>
    Tensor Rows(MicroBatchContext c, Tensor x, ExpertExchangeState state);
}
