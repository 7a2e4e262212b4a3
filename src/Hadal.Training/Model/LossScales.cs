namespace Hadal.Training.Model;

/// <summary>What the losses of a micro-batch are divided and multiplied by, so that micro-batches add up to the global batch.</summary>
/// <param name="CountedLabels">N: labels that count in the whole global batch. The MTP losses are divided by the same N (report equation 24).</param>
/// <param name="Sequences">Sequences in the whole global batch, over which the balance loss is averaged.</param>
/// <param name="MtpWeight">λ.</param>
/// <param name="BalanceWeight">α.</param>
internal readonly record struct LossScales(long CountedLabels, long Sequences, float MtpWeight, float BalanceWeight);
