using Hadal.Inference.Cache;
using Hadal.Inference.Weights;
using Hadal.Model.Configuration;
using Hadal.Model.Routing;
using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <summary>Runs the model over one ragged batch at a time and keeps the latent cache up to date.</summary>
/// <remarks>
/// <para>
/// Every row goes through the same operations whatever else is in the batch, and prompt tokens attend in the expanded form, generated ones in the absorbed
/// form: the bits of a token's logits depend neither on the size of prompt pieces nor on whether it was decoded alone, in a batch or as a draft.
/// </para>
/// <para>Allocates no managed memory in steady state. Not thread-safe. Legend: T rows, D hidden size, H heads, R latent rank, r rope width, V
/// vocabulary.</para>
/// </remarks>
public sealed partial class ModelRunner : IDisposable
{
    private readonly InferenceModel _model;
    private readonly LatentCache _cache;
    private readonly IBackend _backend;
    private readonly ModelConfig _config;
    private readonly RoutingRule _rule;
    private readonly RotaryRows _rotary;
    private readonly StepPlan _plan;
    private readonly Arena _main;

    // An MTP step may read what the one before has put out (drafts of drafts), so two arenas take turns.
    private readonly Arena[] _mtp;
    private int _mtpTurn;
    private Arena _arena;

    /// <summary>A runner.</summary>
    /// <param name="model">The model; has to outlive the runner.</param>
    /// <param name="cache">A cache that fits the model; has to outlive the runner.</param>
    public ModelRunner(InferenceModel model, LatentCache cache)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(cache);
        (_model, _cache, _backend, _config) = (model, cache, model.Backend, model.Config);
        if (cache.BytesPerToken != (long)model.CacheLayers * LatentFormat.Columns(cache.Type, _config.LatentRank, _config.RopeWidth) * cache.Type.SizeOf())
            throw new ArgumentException("The cache was made for another model.", nameof(cache));
        _rule = _config.RoutedExperts > 0 ? _config.Router.ToRoutingRule() : default;
        _rotary = new RotaryRows(_config, _backend);
        _plan = new StepPlan(_backend, _config.Heads);
        _arena = _main = new Arena(_backend);
        _mtp = [new Arena(_backend, 1 << 20), new Arena(_backend, 1 << 20)];
    }

    /// <summary>The model that runs.</summary>
    public InferenceModel Model => _model;

    /// <summary>The cache that is kept.</summary>
    public LatentCache Cache => _cache;

    /// <summary>Told about the tensors of every step; null for nobody.</summary>
    public IForwardObserver? Observer { get; set; }

    /// <summary>[T, D]: hidden states behind the final norm, of all rows of the last <see cref="Forward"/>; valid until the next.</summary>
    public Tensor Hidden { get; private set; }

    /// <summary>[rows, V]: the wanted logits of the last <see cref="Forward"/>; no tensor if none were. Valid until the next.</summary>
    public Tensor Logits { get; private set; }

    /// <summary>[T, D]: hidden states behind the MTP module's norm, of all rows of the last <see cref="ForwardMtp"/>; valid until the next but one.</summary>
    public Tensor MtpHidden { get; private set; }

    /// <summary>[rows, V]: the wanted logits of the last <see cref="ForwardMtp"/>; no tensor if none were. Valid until the next but one.</summary>
    public Tensor MtpLogits { get; private set; }

    /// <summary>Calls of <see cref="Forward"/> so far: who needs <see cref="Hidden"/> later can tell whether it is still there.</summary>
    internal long Steps { get; private set; }

    /// <summary>Prepares for texts of a length, so that steps up to it allocate nothing.</summary>
    /// <param name="positions">Tokens of the longest text.</param>
    public void Reserve(int positions) => _rotary.Reserve(Math.Min(positions, _config.MaxPositions));

    /// <summary>Computes the next tokens of the batch's sequences and moves their <see cref="Sequence.CachedLength"/> on.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="cancellation">Looked at before each layer; a step that is stopped leaves the sequences as they were.</param>
    /// <exception cref="GenerationException">The cache is full, or a token lies beyond the longest context or the vocabulary.</exception>
    /// <exception cref="OperationCanceledException">The step was stopped.</exception>
    public void Forward(StepBatch batch, CancellationToken cancellation = default)
    {
        Check(batch);
        Steps++;
        _arena = _main;
        _arena.Reset();
        _plan.Build(batch, _arena, 0);
        int rows = _plan.Rows, width = _config.HiddenSize;
        BeginExperts(rows);
        Hidden = _arena.Matrix(rows, width);
        Logits = _plan.LogitCount > 0 ? _arena.Matrix(_plan.LogitCount, _config.VocabularySize) : default;

        var x = _arena.Matrix(rows, width);
        _backend.Embed(_model.Embedding, _plan.Ids, x, _model.EmbeddingBlocks);
        for (int l = 0; l < _config.Layers; l++)
        {
            cancellation.ThrowIfCancellationRequested();
            Observer?.Observe(ForwardPoint.Hidden, l, x);
            Layer(_model.Layer(l, cancellation), l, x);
        }

        Observer?.Observe(ForwardPoint.Hidden, _config.Layers, x);
        _backend.RmsNorm(x, _model.FinalNorm, (float)_config.NormEpsilon, Hidden);
        Observer?.Observe(ForwardPoint.FinalNorm, -1, Hidden);
        Head(Hidden, Logits, ForwardPoint.Logits, cancellation);
        _model.Experts?.EndStep();
        foreach (ref readonly var item in batch.Items) item.Sequence.CachedLength = item.First + item.Count;
    }

    /// <summary>Computes rows of the MTP module and moves their sequences' <see cref="Sequence.MtpLength"/> on (section 6.2 of the specification).</summary>
    /// <remarks>
    /// Row i: h = eh_proj·[enorm(embedding of token i + 1); hnorm(hidden state i)], one decoder layer on its own cache at position i, shared_head.norm, head:
    /// the logits of token i + 2.
    /// </remarks>
    /// <param name="batch">Rows added with <see cref="StepBatch.AddMtp"/>.</param>
    /// <param name="cancellation">Looked at before the layer.</param>
    /// <exception cref="GenerationException">The model has no MTP module, or the cache is full.</exception>
    public void ForwardMtp(StepBatch batch, CancellationToken cancellation = default)
    {
        Check(batch);
        cancellation.ThrowIfCancellationRequested();
        var mtp = _model.Mtp(cancellation);
        _arena = _mtp[_mtpTurn ^= 1];
        _arena.Reset();
        _plan.Build(batch, _arena, 1);
        int rows = _plan.Rows, width = _config.HiddenSize;
        BeginExperts(rows);
        float epsilon = (float)_config.NormEpsilon;
        var hidden = _arena.Matrix(rows, width);
        var logits = _plan.LogitCount > 0 ? _arena.Matrix(_plan.LogitCount, _config.VocabularySize) : default;

        var x = _arena.Matrix(rows, width);
        var mark = _arena.Save();
        var pair = _arena.Matrix(rows, 2L * width);
        _backend.Embed(_model.Embedding, _plan.Ids, x, _model.EmbeddingBlocks);
        _backend.RmsNorm(x, mtp.EmbeddingNorm, epsilon, pair.ColumnRange(0, width));
        foreach (ref readonly var item in batch.Items)
        {
            _backend.RmsNorm(item.Hidden, mtp.HiddenNorm, epsilon, pair.RowRange(item.Row, item.Count).ColumnRange(width, width));
        }

        _backend.MatMul(pair, mtp.Projection, x);
        _arena.Release(mark);
        Observer?.Observe(ForwardPoint.MtpProjection, _config.Layers, x);
        Layer(mtp.Layer, _config.Layers, x);
        Observer?.Observe(ForwardPoint.MtpHidden, _config.Layers, x);
        _backend.RmsNorm(x, mtp.FinalNorm, epsilon, hidden);
        Head(hidden, logits, ForwardPoint.MtpLogits, cancellation);
        _model.Experts?.EndStep();
        (MtpHidden, MtpLogits) = (hidden, logits);
        foreach (ref readonly var item in batch.Items) item.Sequence.MtpLength = item.First + item.Count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rotary.Dispose();
        _main.Dispose();
        foreach (var arena in _mtp) arena.Dispose();
    }

    // x ← x + attention(norm(x)); x ← x + mlp(norm(x)) (section 3.1).
    private void Layer(LayerWeights weights, int layer, Tensor x)
    {
        var mark = _arena.Save();
        var normalised = _arena.Matrix(x.Rows, x.Columns);
        var output = _arena.Matrix(x.Rows, x.Columns);
        _backend.RmsNorm(x, weights.AttentionNorm, (float)_config.NormEpsilon, normalised);
        Attention(weights, layer, normalised, output);
        Observer?.Observe(ForwardPoint.AttentionOutput, layer, output);
        _backend.Add(output, x);
        ForeseeExperts(layer, x);
        _backend.RmsNorm(x, weights.MlpNorm, (float)_config.NormEpsilon, normalised);
        if (weights.Router is null) Mlp(weights, normalised, output);
        else Experts(weights, layer, normalised, output);
        _backend.Add(output, x);
        _arena.Release(mark);
    }

    private void Head(Tensor hidden, Tensor logits, ForwardPoint point, CancellationToken cancellation)
    {
        if (logits.IsEmpty) return;
        var rows = hidden;
        if (!_plan.LogitIndices.IsEmpty)
        {
            rows = _arena.Matrix(logits.Rows, hidden.Columns);
            _backend.GatherRows(hidden, _plan.LogitIndices, 1, rows);
        }

        _backend.MatMul(rows, _model.Head(cancellation), logits);
        Observer?.Observe(point, -1, logits);
    }

    private void Check(StepBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        foreach (ref readonly var item in batch.Items)
        {
            if (item.Sequence.Cache != _cache) throw new ArgumentException("A sequence of the batch belongs to another cache.", nameof(batch));
            if (item.First + item.Count > _config.MaxPositions)
            {
                throw new GenerationException(
                    $"Position {item.First + item.Count - 1} lies beyond the {_config.MaxPositions} positions of the model (max_position_embeddings).");
            }

            _rotary.Reserve(item.First + item.Count);
            foreach (int token in item.Sequence.Tokens.Slice(item.First, item.Count))
            {
                if ((uint)token >= (uint)_config.VocabularySize)
                    throw new GenerationException($"Token {token} is not in the vocabulary of the model, 0 to {_config.VocabularySize - 1}.");
            }
        }
    }
}
