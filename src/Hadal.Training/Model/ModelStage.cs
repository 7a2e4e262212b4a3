using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Experts;
using Hadal.Training.Layers;
using Hadal.Training.Losses;
using Hadal.Training.Parameters;

namespace Hadal.Training.Model;

/// <summary>A part of the model that one pipeline rank holds, up to all of it: its decoder layers in order, the embedding before the first, final norm, MTP modules and head behind the last.</summary>
/// <remarks>
/// The layers of a stage are its units: decoder layers, then the blocks of the MTP modules. A <see cref="ForwardPass"/> and a <see cref="BackwardPass"/> take a micro-batch through
/// them; this class says what comes before and behind each. What is kept of a micro-batch is in a <see cref="StageState"/>, of which there are as many as a schedule has in flight.
/// </remarks>
internal sealed class ModelStage
{
    private readonly IBackend _backend;
    private readonly ModelConfig _config;
    private readonly TrainingOptions _options;
    private readonly RotaryTensors _rotary;
    private readonly EmbeddingLayer? _embedding;
    private readonly DecoderBlock[] _blocks;
    private readonly RmsNormLayer? _finalNorm;
    private readonly PredictionHead? _head;
    private readonly MtpModule[] _mtp;
    private readonly int[] _balanceIndex;
    private float[] _values = [];

    /// <summary>Declares the stage's parameters; their memory is laid out later.</summary>
    /// <param name="backend">Where to compute.</param>
    /// <param name="parameters">Receives the declarations.</param>
    /// <param name="config">The whole model.</param>
    /// <param name="part">Which part of it.</param>
    /// <param name="options">How it is trained.</param>
    /// <param name="embedding">The table, if the part looks tokens up: a rank with two such stages has one.</param>
    /// <param name="rotary">As many positions as the longest sequence has.</param>
    public ModelStage(IBackend backend, StageParameters parameters, ModelConfig config, StagePart part, TrainingOptions options, EmbeddingLayer? embedding, RotaryTensors rotary)
    {
        (_backend, _config, _options, _embedding, _rotary, Part) = (backend, config, options, embedding, rotary, part);
        var exchange = options.Exchange ?? new LocalExchange(config);
        _blocks = new DecoderBlock[part.End - part.First];
        for (int l = 0; l < _blocks.Length; l++) _blocks[l] = new DecoderBlock(backend, parameters, config, part.First + l, exchange, options.PartsOf(part.First + l));
        _mtp = new MtpModule[part.IsLast ? config.MtpLayers : 0];
        if (part.IsLast)
        {
            _finalNorm = new RmsNormLayer(parameters.Dense, "model.norm.weight", config.HiddenSize, (float)config.NormEpsilon);
            _head = new PredictionHead(parameters.Dense, config.VocabularySize, config.HiddenSize);
            for (int k = 1; k <= _mtp.Length; k++) _mtp[k - 1] = new MtpModule(backend, parameters, config, embedding!, k, exchange, options.PartsOf(config.Layers + k - 1));
        }

        var indices = new List<int>();
        var experts = new List<MixtureOfExperts>();
        for (int u = 0; u < Units; u++)
        {
            if (Block(u).Experts is not { } layer) continue;
            experts.Add(layer);
            indices.Add(ExpertLayersBefore(config, LayerOf(u)));
        }

        (ExpertLayers, _balanceIndex) = (experts, [.. indices]);
    }

    /// <summary>Which part of the model it is.</summary>
    public StagePart Part { get; }

    /// <summary>Decoder layers and MTP blocks.</summary>
    public int Units => _blocks.Length + _mtp.Length;

    /// <summary>Its expert layers, in order.</summary>
    public IReadOnlyList<MixtureOfExperts> ExpertLayers { get; }

    /// <summary>For each of them, which expert layer of the whole model it is.</summary>
    public ReadOnlySpan<int> ExpertLayerNumbers => _balanceIndex;

    /// <summary>Losses of the whole model, of which the stage adds its part.</summary>
    public static BatchLosses CreateLosses(ModelConfig config) => new(config.MtpLayers, ExpertLayersBefore(config, config.Layers + config.MtpLayers));

    /// <summary>Expert layers of the whole model before a layer, MTP modules numbered behind the last.</summary>
    public static int ExpertLayersBefore(ModelConfig config, int layer) => Enumerable.Range(0, layer).Count(config.IsMixtureOfExperts);

    /// <summary>Memory of one micro-batch in flight.</summary>
    /// <param name="scratch">Temporary memory, until a pass chooses.</param>
    public StageState CreateState(Arena scratch) => new(_backend, _blocks.Length, _mtp.Length + 1, arena => new MicroBatchContext
    {
        Backend = _backend,
        Arena = arena,
        Scratch = scratch,
        Precision = _options.Precision,
        Cos = _rotary.Cos,
        Sin = _rotary.Sin,
    });

    public DecoderBlock Block(int unit) => unit < _blocks.Length ? _blocks[unit] : _mtp[unit - _blocks.Length].Block;

    public MicroBatchContext Context(StageState s, int unit) => s.Depths[DepthOf(unit)].Context;

    public DecoderBlock.State State(StageState s, int unit) => unit < _blocks.Length ? s.Blocks[unit] : s.Mtp[unit - _blocks.Length].Block;

    /// <summary>The residual stream through a unit.</summary>
    public Tensor Stream(StageState s, int unit) => unit < _blocks.Length ? s.Stream : s.Mtp[unit - _blocks.Length].Stream;

    /// <summary>The gradient for it.</summary>
    public Tensor DStream(StageState s, int unit) => unit < _blocks.Length ? s.DStream : s.Mtp[unit - _blocks.Length].DStream;

    /// <summary>What comes before a unit.</summary>
    public void EnterForward(StageState s, int unit)
    {
        int k = DepthOf(unit);
        if (k == 0)
        {
            if (unit == 0 && Part.IsFirst) _embedding!.ForwardInto(s.Depths[0].Context, s.Depths[0].Batch.Ids, s.Stream);
            return;
        }

        var (before, depth) = (s.Depths[k - 1], s.Depths[k]);
        var previous = s.Arena.Matrix(depth.Batch.Ids.Count, _config.HiddenSize);
        CopyFirstRows(before.Hidden, before.Batch.Length, previous, depth.Batch.Length);
        _mtp[k - 1].ForwardIn(depth.Context, previous, depth.Batch.Ids, s.Mtp[k - 1]);
    }

    /// <summary>What comes behind a unit.</summary>
    public void LeaveForward(StageState s, int unit)
    {
        int k = DepthOf(unit);
        if (k > 0) s.Depths[k].Hidden = _mtp[k - 1].ForwardOut(s.Depths[k].Context, s.Mtp[k - 1]);
        if (!Part.IsLast || unit != _blocks.Length - 1) return;
        s.Depths[0].Hidden = s.Arena.Matrix(s.Stream.Rows, s.Stream.Columns);
        _finalNorm!.ForwardInto(s.Depths[0].Context, s.Stream, s.Depths[0].Hidden, s.FinalNorm);
    }

    /// <summary>What comes behind the last unit: losses, and in training the gradients for the rows that the heads saw.</summary>
    public void FinishForward(StageState s, LossScales scales, BatchLosses losses)
    {
        if (Part.IsLast) RunHeads(s, scales, losses);
        for (int u = 0, layer = 0; u < Units; u++)
        {
            if (Block(u).Experts is null) continue;
            ref double sum = ref losses.BalanceSums[_balanceIndex[layer++]];
            sum = AddTo(sum, State(s, u).Experts.BalanceLoss);
        }
    }

    /// <summary>What comes before a unit's backward.</summary>
    public void EnterBackward(StageState s, int unit)
    {
        int k = DepthOf(unit);
        if (k > 0) _mtp[k - 1].BackwardOut(s.Depths[k].Context, s.Depths[k].DHidden, s.Mtp[k - 1]);
        if (!Part.IsLast || unit != _blocks.Length - 1) return;
        _finalNorm!.BackwardInput(s.Depths[0].Context, s.Depths[0].DHidden, s.MakeDStream(), accumulate: false, s.FinalNorm);
    }

    /// <summary>What comes behind a unit's backward.</summary>
    public void LeaveBackward(StageState s, int unit)
    {
        int k = DepthOf(unit);
        if (k == 0) return;
        var (before, depth) = (s.Depths[k - 1], s.Depths[k]);
        AddFirstRows(_mtp[k - 1].BackwardIn(depth.Context, s.Mtp[k - 1]), depth.Batch.Length, before.DHidden, before.Batch.Length);
    }

    /// <summary>Weight gradients of what is before and behind a unit.</summary>
    public void OuterWeights(StageState s, int unit)
    {
        int k = DepthOf(unit);
        if (k > 0) _mtp[k - 1].Weights(s.Depths[k].Context, s.Mtp[k - 1]);
        if (Part.IsLast && unit == _blocks.Length - 1) _finalNorm!.BackwardWeight(s.Depths[0].Context, s.FinalNorm);
    }

    /// <summary>The gradient for the embedding, which all depths share. Sequence by sequence, so that sums come out the same however a batch is cut into micro-batches.</summary>
    public void EmbeddingWeights(StageState s)
    {
        if (!Part.Embeds(_config)) return;
        int parts = _mtp.Length == 0 ? 1 : s.Stream.Rows / s.Depths[0].Batch.Length;
        for (int part = 0; part < parts; part++)
        {
            for (int k = _mtp.Length; k >= 0; k--)
            {
                if (k == 0 && !Part.IsFirst) continue;
                var dEmbedded = k == 0 ? s.DStream : s.Mtp[k - 1].DEmbedded;
                int rows = dEmbedded.Rows / parts;
                _embedding!.BackwardWeight(s.Depths[k].Context, dEmbedded.RowRange(part * rows, rows), s.Depths[k].Batch.Ids.ElementRange(part * rows, rows));
            }
        }
    }

    /// <summary>The layer in the whole model, MTP modules behind the last.</summary>
    public int LayerOf(int unit) => unit < _blocks.Length ? Part.First + unit : _config.Layers + unit - _blocks.Length;

    private int DepthOf(int unit) => Math.Max(0, unit - _blocks.Length + 1);

    // Sequence by sequence, as the embedding.
    private void RunHeads(StageState s, LossScales scales, BatchLosses losses)
    {
        bool gradient = s.IsTraining;
        float mainWeight = gradient ? 1f / scales.CountedLabels : 0;
        float mtpWeight = gradient && _mtp.Length > 0 ? scales.MtpWeight / _mtp.Length / scales.CountedLabels : 0;
        var scratch = s.Depths[0].Context.Scratch;
        var mark = scratch.Save();
        foreach (var depth in s.Depths)
        {
            depth.DHidden = gradient ? s.Arena.Matrix(depth.Hidden.Rows, depth.Hidden.Columns) : default;
            depth.RowLosses = depth.Context.Vector(depth.Hidden.Rows);
            depth.Choices = gradient ? default : depth.Context.Integers(depth.Hidden.Rows);
        }

        int parts = _mtp.Length == 0 ? 1 : s.Depths[0].Hidden.Rows / s.Depths[0].Batch.Length;
        for (int part = 0; part < parts; part++)
        {
            for (int k = 0; k <= _mtp.Length; k++)
            {
                var depth = s.Depths[k];
                int rows = depth.Hidden.Rows / parts, first = part * rows;
                _head!.Run(
                    depth.Context, depth.Hidden.RowRange(first, rows), depth.Batch.Labels.ElementRange(first, rows), k == 0 ? mainWeight : mtpWeight, depth.RowLosses.ElementRange(first, rows),
                    gradient ? depth.DHidden.RowRange(first, rows) : default, gradient ? default : depth.Choices.ElementRange(first, rows));
            }
        }

        losses.MainSum = AddTo(losses.MainSum, s.Depths[0].RowLosses);
        for (int k = 0; k <= _mtp.Length; k++)
        {
            if (!gradient) _backend.Read(s.Depths[k].Choices, s.Depths[k].Batch.Choices);
            if (k == 0) continue;
            losses.MtpSums[k - 1] = AddTo(losses.MtpSums[k - 1], s.Depths[k].RowLosses);
            losses.MtpCounts[k - 1] += s.Depths[k].Batch.Counted;
        }

        if (!gradient) AddAccepted(s, losses);
        scratch.Release(mark);
    }

    // Row i of depth k and row i + k of the main model predict the same token: where both would say the same, a greedy draft is accepted (given the true tokens before it).
    private void AddAccepted(StageState s, BatchLosses losses)
    {
        var main = s.Depths[0].Batch;
        for (int k = 1; k <= _mtp.Length; k++)
        {
            var batch = s.Depths[k].Batch;
            for (int row = 0; row < batch.Choices.Length; row++)
            {
                int mainRow = row / batch.Length * main.Length + row % batch.Length + k;
                if (batch.Counts(row) && batch.Choices[row] == main.Choices[mainRow]) losses.Accepted[k - 1]++;
            }
        }
    }

    // One value after the other, so that a sum does not depend on where a micro-batch ends.
    private double AddTo(double sum, Tensor values)
    {
        if (_values.Length < values.Count) _values = new float[values.Count];
        var span = _values.AsSpan(0, (int)values.Count);
        _backend.Read(values, span);
        foreach (float value in span) sum += value;
        return sum;
    }

    // The first rows of every sequence: depth k has one row less than the depth before.
    private void CopyFirstRows(Tensor from, int fromLength, Tensor to, int toLength)
    {
        for (int b = 0; b * toLength < to.Rows; b++) _backend.Copy(from.RowRange(b * fromLength, toLength), to.RowRange(b * toLength, toLength));
    }

    private void AddFirstRows(Tensor from, int fromLength, Tensor to, int toLength)
    {
        for (int b = 0; b * fromLength < from.Rows; b++) _backend.Add(from.RowRange(b * fromLength, fromLength), to.RowRange(b * toLength, fromLength));
    }
}
