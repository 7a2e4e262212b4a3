namespace Hadal.Numerics;

/// <summary>Operands of one product in <see cref="IBackend.MatMulBatch"/>.</summary>
/// <param name="A">[M, K], or [K, M] when transposed.</param>
/// <param name="TransposeA">Whether to transpose A.</param>
/// <param name="B">[K, N], or [N, K] when transposed.</param>
/// <param name="TransposeB">Whether to transpose B.</param>
/// <param name="C">[M, N].</param>
/// <param name="Accumulate">Add to C instead of replacing it.</param>
public readonly record struct MatMulOperands(Tensor A, bool TransposeA, Tensor B, bool TransposeB, Tensor C, bool Accumulate = false);

/// <summary>How router logits become expert scores.</summary>
public enum ScoreFunction
{
    /// <summary>1 / (1 + e^-x), each expert by itself (V3).</summary>
    Sigmoid,

    /// <summary>Softmax over the experts (V2).</summary>
    Softmax,
}

/// <summary>How a group of experts is scored when only some groups are kept.</summary>
public enum GroupScore
{
    /// <summary>The best choice score in the group (V2).</summary>
    Maximum,

    /// <summary>The sum of the two best choice scores in the group (V3).</summary>
    TopTwoSum,
}

/// <summary>How experts are chosen and weighed.</summary>
/// <param name="Scores">Score function.</param>
/// <param name="TopK">Experts chosen per token.</param>
/// <param name="Groups">Groups of consecutive experts; 1 for no limit.</param>
/// <param name="KeptGroups">Groups that a token may choose from.</param>
/// <param name="GroupScore">How groups compete.</param>
/// <param name="Normalize">Whether the chosen scores are divided by their sum (+ 1e-20).</param>
/// <param name="ScalingFactor">Factor on the gate weights.</param>
public readonly record struct RoutingRule(
    ScoreFunction Scores, int TopK, int Groups, int KeptGroups, GroupScore GroupScore, bool Normalize, float ScalingFactor);

/// <summary>Rates of one <see cref="IBackend.AdamW"/> step.</summary>
/// <param name="LearningRate">lr.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the corrected second moment.</param>
/// <param name="WeightDecay">Decoupled: p is first multiplied by 1 - lr·decay.</param>
/// <param name="Step">Number of this step, from 1, for the bias corrections 1 - β^step.</param>
/// <param name="GradientScale">Factor on the gradients (clipping).</param>
public readonly record struct AdamWStep(
    float LearningRate, float Beta1, float Beta2, float Epsilon, float WeightDecay, int Step, float GradientScale);
