using Hadal.Numerics;

namespace Hadal.Training.Balance;

/// <summary>How a run keeps its experts evenly loaded: an auxiliary loss, a rule for the router biases, both or neither.</summary>
/// <param name="Name">The word in a run file.</param>
/// <param name="CreateLoss">Makes the loss of one layer, from the number of its experts. It is measured also where it is not trained.</param>
/// <param name="LossFactor">1 if the gradient of the loss is taken with weight α, 0 if the loss is measured only.</param>
/// <param name="BiasFactor">1 if the biases move by γ, 0 if they stay.</param>
internal sealed record BalancePolicy(string Name, Func<IBackend, int, IBalanceLoss> CreateLoss, double LossFactor, double BiasFactor)
{
    /// <summary>The report's: biases without an auxiliary loss, and a sequence-wise loss of tiny weight against extremes within a sequence (section 2.1.2).</summary>
    public static BalancePolicy Bias { get; } = new("bias", OfSequences, LossFactor: 1, BiasFactor: 1);

    /// <summary>Whether the loss counts tokens over the whole batch, which then has to be in one place.</summary>
    public bool CountsBatch { get; private init; }

    private static readonly BalancePolicy[] _all =
    [
        Bias,
        new("sequence_loss", OfSequences, LossFactor: 1, BiasFactor: 0),
        new("batch_loss", (backend, experts) => new BatchBalanceLoss(backend, experts), LossFactor: 1, BiasFactor: 0) { CountsBatch = true },
        new("none", OfSequences, LossFactor: 0, BiasFactor: 0),
    ];

    /// <summary>The words that <see cref="Find"/> knows.</summary>
    public static IEnumerable<string> Names => _all.Select(p => p.Name);

    /// <summary>The policy of a word; null if there is none.</summary>
    public static BalancePolicy? Find(string? name) => Array.Find(_all, p => p.Name == name);

    private static SequenceBalanceLoss OfSequences(IBackend backend, int experts) => new();
}
