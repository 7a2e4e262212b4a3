using Hadal.Inference.Weights;

namespace Hadal.Inference.Measurement;

/// <summary>What holding a model's weights in fewer bits costs, measured on a text: both models predict each token from the true ones before it.</summary>
/// <param name="Tokens">Tokens predicted.</param>
/// <param name="ReferencePerplexity">exp of the mean loss of the model that is compared with.</param>
/// <param name="QuantizedPerplexity">The same of the model that is measured.</param>
/// <param name="MeanDivergence">Mean over positions of KL(reference‖quantised) between the predictions, in nats.</param>
/// <param name="HighDivergence">What 99% of the positions stay at or below (nearest rank), in nats.</param>
/// <param name="SameTokenShare">Share of positions at which both find the same token most likely.</param>
public sealed record QuantizationReport(
    int Tokens, double ReferencePerplexity, double QuantizedPerplexity, double MeanDivergence, double HighDivergence, double SameTokenShare)
{
    /// <summary>Compares two models that are in memory together.</summary>
    /// <param name="reference">What is compared with.</param>
    /// <param name="quantized">What is measured; with the same vocabulary.</param>
    /// <param name="text">The text.</param>
    /// <param name="progress">Told how many tokens are done; or null.</param>
    /// <param name="cancellation">Stops between two layers.</param>
    /// <returns>The result; it depends on neither threads nor pieces.</returns>
    /// <exception cref="GenerationException">The vocabularies differ, a window is longer than a model's context, a token is not in the vocabulary, or logits are not finite.</exception>
    public static QuantizationReport Measure(
        InferenceModel reference, InferenceModel quantized, TextWindows text, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(text);
        using var source = new ModelLogits(reference, text);
        return Measure(source, quantized, text, progress, cancellation);
    }

    /// <summary>Compares a model with the recorded logits of another.</summary>
    /// <param name="reference">What is compared with: its logits for the same text.</param>
    /// <param name="quantized">What is measured; with the same vocabulary.</param>
    /// <param name="text">The text.</param>
    /// <param name="progress">Told how many tokens are done; or null.</param>
    /// <param name="cancellation">Stops between two layers.</param>
    /// <returns>The same as of two models in memory together.</returns>
    /// <exception cref="GenerationException">As of two models in memory together.</exception>
    public static QuantizationReport Measure(
        RecordedLogits reference, InferenceModel quantized, TextWindows text, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(text);
        return Measure((ILogitSource)reference, quantized, text, progress, cancellation);
    }

    /// <summary>The rows that are computed together, in order.</summary>
    internal static IEnumerable<(int Window, int First, int Rows)> Pieces(TextWindows text, int vocabulary)
    {
        int most = ModelLogits.PieceRows(vocabulary);
        for (int window = 0; window < text.Count; window++)
        {
            int length = text.Inputs(window).Length;
            for (int first = 0; first < length; first += most) yield return (window, first, Math.Min(most, length - first));
        }
    }

    private static QuantizationReport Measure(ILogitSource reference, InferenceModel quantized, TextWindows text, IProgress<int>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(quantized);
        int vocabulary = quantized.Config.VocabularySize;
        if (reference.Vocabulary != vocabulary) throw new GenerationException($"A model with a vocabulary of {vocabulary} cannot be compared with one of {reference.Vocabulary}.");
        using var source = new ModelLogits(quantized, text);
        int most = Math.Min(ModelLogits.PieceRows(vocabulary), text.WindowTokens) * vocabulary;
        float[] expected = new float[most], actual = new float[most];
        var divergences = new double[text.Predictions];
        double referenceLoss = 0, quantizedLoss = 0, divergence = 0;
        int same = 0, done = 0;
        foreach (var (window, first, rows) in Pieces(text, vocabulary))
        {
            cancellation.ThrowIfCancellationRequested();
            reference.Read(window, first, expected.AsSpan(0, rows * vocabulary), cancellation);
            source.Read(window, first, actual.AsSpan(0, rows * vocabulary), cancellation);
            for (int row = 0; row < rows; row++)
            {
                int target = text.Targets(window)[first + row];
                if ((uint)target >= (uint)vocabulary) throw new GenerationException($"Token {target} is not in the vocabulary of the model, 0 to {vocabulary - 1}.");
                var one = LogitDivergence.Of(expected.AsSpan(row * vocabulary, vocabulary), actual.AsSpan(row * vocabulary, vocabulary), target);
                if (!double.IsFinite(one.Divergence + one.ReferenceLoss + one.QuantizedLoss))
                    throw new GenerationException($"The logits behind token {done + row} of the text are not finite: the weights are damaged, or their values are beyond what the format can hold.", GenerationFault.Computation);
                divergences[done + row] = one.Divergence;
                divergence += one.Divergence;
                referenceLoss += one.ReferenceLoss;
                quantizedLoss += one.QuantizedLoss;
                if (one.SameToken) same++;
            }

            done += rows;
            progress?.Report(done);
        }

        Array.Sort(divergences);
        return new QuantizationReport(
            done, Math.Exp(referenceLoss / done), Math.Exp(quantizedLoss / done), divergence / done, divergences[(99 * (long)done + 99) / 100 - 1], (double)same / done);
    }
}
