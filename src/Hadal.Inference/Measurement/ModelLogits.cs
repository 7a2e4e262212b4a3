using Hadal.Inference.Cache;
using Hadal.Inference.Running;
using Hadal.Inference.Weights;

namespace Hadal.Inference.Measurement;

/// <summary>Logits that a model computes for a text: every window is a prompt, computed in pieces.</summary>
internal sealed class ModelLogits : ILogitSource, IDisposable
{
    // Logits of a piece take at most so many values: 64 MB.
    private const int PieceValues = 1 << 24;
    private readonly TextWindows _text;
    private readonly InferenceModel _model;
    private readonly LatentCache _cache;
    private readonly ModelRunner _runner;
    private readonly StepBatch _batch = new();
    private Sequence? _sequence;

    public ModelLogits(InferenceModel model, TextWindows text)
    {
        if (text.WindowTokens > model.Config.MaxPositions)
            throw new GenerationException($"A window of {text.WindowTokens} tokens is longer than the {model.Config.MaxPositions} positions of the model (max_position_embeddings).");
        (_model, _text) = (model, text);
        _cache = model.CreateCache(text.WindowTokens);
        _runner = new ModelRunner(model, _cache);
    }

    public int Vocabulary => _model.Config.VocabularySize;

    /// <summary>Rows of a piece: enough to keep products large, few enough to keep their logits small.</summary>
    public static int PieceRows(int vocabulary) => Math.Clamp(PieceValues / vocabulary, 16, 512);

    public void Read(int window, int first, Span<float> logits, CancellationToken cancellation)
    {
        if (first == 0)
        {
            _sequence?.Dispose();
            _sequence = _cache.CreateSequence(_text.Inputs(window));
        }

        _batch.Clear();
        _batch.Add(_sequence!, logits.Length / Vocabulary, LogitRows.All);
        _runner.Forward(_batch, cancellation);
        _model.Backend.Read(_runner.Logits, logits);
    }

    public void Dispose()
    {
        _sequence?.Dispose();
        _runner.Dispose();
        _cache.Dispose();
    }
}
