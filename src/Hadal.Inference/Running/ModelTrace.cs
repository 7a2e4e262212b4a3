using System.Globalization;
using Hadal.Inference.Cache;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <summary>What a model computes inside for given tokens, at every position, under names that other programs' traces can be compared with.</summary>
/// <remarks>
/// <para>
/// Main model, layers l: <c>hidden.{l}</c> [n, D] before layer l (0 is the embedding, L the stream before the final norm), <c>attn_out.{l}</c> [n, D],
/// <c>kv_latent.{l}</c> [n, R], <c>k_rope.{l}</c> [n, r] (rotated, interleaved), <c>experts.{l}</c> I32 and <c>gate_weights.{l}</c> [n, K] in layers with
/// experts, <c>final_norm</c> [n, D], <c>logits</c> [n, V].
/// </para>
/// <para>
/// MTP module, row i from hidden state i and token i + 1: <c>mtp.eh_proj</c>, <c>mtp.attn_out</c>, <c>mtp.kv_latent</c>, <c>mtp.k_rope</c>,
/// <c>mtp.experts</c>, <c>mtp.gate_weights</c>, <c>mtp.hidden</c> (before its norm), <c>mtp.logits</c>, each with n - 1 rows.
/// </para>
/// </remarks>
public sealed class ModelTrace
{
    private readonly SortedDictionary<string, TraceTensor> _tensors = new(StringComparer.Ordinal);

    private ModelTrace()
    {
    }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, TraceTensor> Tensors => _tensors;

    /// <summary>Runs a model over tokens.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokens">At least one.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="progress">Told after each piece how many tokens are done; or null.</param>
    /// <param name="cancellation">Stops the run.</param>
    /// <returns>The trace.</returns>
    /// <exception cref="GenerationException">No tokens, more than the model has positions, or one outside the vocabulary.</exception>
    public static ModelTrace Run(
        InferenceModel model, ReadOnlySpan<int> tokens, ModelTraceOptions? options = null, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new ModelTraceOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PieceTokens, 1, nameof(options));
        if (tokens.IsEmpty) throw new GenerationException("There are no tokens to trace.");
        if (tokens.Length > model.Config.MaxPositions)
        {
            throw new GenerationException(
                $"{tokens.Length} tokens are more than the {model.Config.MaxPositions} positions of the model (max_position_embeddings).");
        }

        int prompt = Math.Clamp(options.PromptTokens ?? tokens.Length, 1, tokens.Length);
        using var cache = model.CreateCache(tokens.Length, options.CacheType);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence(tokens[..prompt], tokens.Length);
        foreach (int token in tokens[prompt..]) sequence.Append(token);
        var trace = new ModelTrace();
        runner.Observer = new Recorder(trace, model, tokens.Length);
        Run(runner, sequence, options.PieceTokens, progress, cancellation);
        return trace;
    }

    /// <summary>Writes the trace as a safetensors file.</summary>
    /// <param name="path">The file; replaced if it is there, once it is complete.</param>
    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public void Save(string path) => SafetensorsWriter.Write(
        path,
        _tensors.Values.Select(t => new SafetensorsEntry(t.Name, t.Type, new Shape(t.Rows, t.Columns))),
        (entry, stream) => stream.Write(_tensors[entry.Name].Bytes));

    private static void Run(ModelRunner runner, Sequence sequence, int pieceTokens, IProgress<int>? progress, CancellationToken cancellation)
    {
        var batch = new StepBatch();
        while (sequence.CachedLength < sequence.Count)
        {
            int first = sequence.CachedLength, limit = first < sequence.PromptLength ? sequence.PromptLength : sequence.Count;
            int rows = Math.Min(pieceTokens, limit - first);
            batch.Clear();
            batch.Add(sequence, rows, LogitRows.All);
            runner.Forward(batch, cancellation);

            // The last token has no next one, and so no row in the MTP module.
            int mtpRows = Math.Min(rows, sequence.Count - 1 - first);
            if (runner.Model.HasMtp && mtpRows > 0)
            {
                batch.Clear();
                batch.AddMtp(sequence, runner.Hidden.RowRange(0, mtpRows), LogitRows.All);
                runner.ForwardMtp(batch, cancellation);
            }

            progress?.Report(sequence.CachedLength);
        }
    }

    private sealed class Recorder(ModelTrace trace, InferenceModel model, int tokens) : IForwardObserver
    {
        public void Observe(ForwardPoint point, int layer, Tensor values)
        {
            bool mtp = layer == model.Config.Layers && point != ForwardPoint.Hidden || point == ForwardPoint.MtpLogits;
            string place = mtp || layer < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $".{layer}");
            string name = (mtp ? "mtp." : "") + Name(point) + place;
            if (!trace._tensors.TryGetValue(name, out var tensor))
            {
                tensor = new TraceTensor(name, values.Type, mtp ? tokens - 1 : tokens, values.Columns);
                trace._tensors.Add(name, tensor);
            }

            tensor.Append(model.Backend, values);
        }

        private static string Name(ForwardPoint point) => point switch
        {
            ForwardPoint.Hidden or ForwardPoint.MtpHidden => "hidden",
            ForwardPoint.AttentionOutput => "attn_out",
            ForwardPoint.Latent => "kv_latent",
            ForwardPoint.RopeKey => "k_rope",
            ForwardPoint.Experts => "experts",
            ForwardPoint.GateWeights => "gate_weights",
            ForwardPoint.FinalNorm => "final_norm",
            ForwardPoint.MtpProjection => "eh_proj",
            _ => "logits",
        };
    }
}
