using Hadal.Model.Configuration;
using Hadal.Model.Rotary;
using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Experts;
using Hadal.Training.Layers;
using Hadal.Training.Losses;
using Hadal.Training.Parameters;

namespace Hadal.Training.Model;

/// <summary>The whole model with its gradients: embedding, decoder blocks, final norm, MTP modules, and the head that all of them share.</summary>
/// <remarks>
/// One call of <see cref="ForwardBackward"/> takes one micro-batch through forward and backward and adds to the gradients. What the backward needs lives in one arena that
/// is reset at the next call; temporaries live in another, each layer's forward or backward on top of what was there before.
/// </remarks>
internal sealed class TrainingModel : IDisposable
{
    private readonly IBackend _backend;
    private readonly Arena _arena, _scratch;
    private readonly Storage _rotary;
    private readonly EmbeddingLayer _embedding;
    private readonly DecoderBlock[] _blocks;
    private readonly DecoderBlock.State[] _blockStates;
    private readonly RmsNormLayer _finalNorm;
    private readonly RmsNormLayer.State _finalNormState = new();
    private readonly PredictionHead _head;
    private readonly MtpModule[] _mtp;
    private readonly MtpModule.State[] _mtpStates;
    private readonly Tensor[] _mtpGradients;
    private readonly MicroBatchContext[] _contexts;
    private readonly BatchTensors[] _batches;
    private float[] _rowLosses = [];
    private float[] _balanceLosses = [];

    /// <param name="backend">Where to compute; not owned.</param>
    /// <param name="config">A valid configuration.</param>
    /// <param name="longest">Tokens of the longest sequence.</param>
    /// <param name="options">How it is trained; null for everything in FP32.</param>
    /// <exception cref="ConfigException">The configuration cannot be trained.</exception>
    public TrainingModel(IBackend backend, ModelConfig config, int longest, TrainingOptions? options = null)
    {
        if (!config.RopeInterleave)
            throw new ConfigException("config.json", "rope_interleave", "false: weights whose rotary rows were permuted to halves cannot be trained; convert them to interleaved pairs");
        (_backend, Config) = (backend, config);
        options ??= new TrainingOptions();
        if (options.Recompute.Select(r => r.Complaint(config.Layers + config.MtpLayers)).FirstOrDefault(c => c is not null) is { } complaint)
            throw new ConfigException("run file", "recompute", $"recompute: {complaint}");
        _arena = new Arena(backend);
        _scratch = new Arena(backend);
        Parameters = new ParameterSet(backend);
        _embedding = new EmbeddingLayer(Parameters, config.VocabularySize, config.HiddenSize);
        _blocks = new DecoderBlock[config.Layers];
        for (int l = 0; l < config.Layers; l++) _blocks[l] = new DecoderBlock(backend, Parameters, config, l, options.PartsOf(l));
        _finalNorm = new RmsNormLayer(Parameters, "model.norm.weight", config.HiddenSize, (float)config.NormEpsilon);
        _head = new PredictionHead(Parameters, config.VocabularySize, config.HiddenSize);
        _mtp = new MtpModule[config.MtpLayers];
        for (int k = 1; k <= _mtp.Length; k++) _mtp[k - 1] = new MtpModule(backend, Parameters, config, _embedding, k, options.PartsOf(config.Layers + k - 1));
        Parameters.Commit(options.Moments);

        _blockStates = Array.ConvertAll(_blocks, _ => new DecoderBlock.State());
        _mtpStates = Array.ConvertAll(_mtp, _ => new MtpModule.State());
        _mtpGradients = new Tensor[_mtp.Length];
        ExpertLayers = [.. _blocks.Concat(_mtp.Select(m => m.Block)).Where(b => b.Experts is not null).Select(b => b.Experts!)];
        _rotary = MakeRotary(backend, config, longest, out var cos, out var sin);
        _contexts = new MicroBatchContext[_mtp.Length + 1];
        _batches = new BatchTensors[_mtp.Length + 1];
        for (int k = 0; k < _contexts.Length; k++)
        {
            _contexts[k] = new MicroBatchContext { Backend = backend, Arena = _arena, Scratch = _scratch, Precision = options.Precision, Cos = cos, Sin = sin };
            _batches[k] = new BatchTensors(k);
        }
    }

    public ModelConfig Config { get; }

    public ParameterSet Parameters { get; }

    /// <summary>Expert layers of the main model in order, then those of the MTP modules.</summary>
    public IReadOnlyList<MixtureOfExperts> ExpertLayers { get; }

    /// <summary>The most bytes that a micro-batch has kept for its backward.</summary>
    public long KeptBytes => _arena.PeakBytes;

    /// <summary>The most bytes that were temporary at a time.</summary>
    public long TemporaryBytes => _scratch.PeakBytes;

    public BatchLosses CreateLosses() => new(_mtp.Length, ExpertLayers.Count);

    /// <summary>Adds a micro-batch's gradients to the parameters' and its losses to the sums.</summary>
    public void ForwardBackward(PackedBatch batch, LossScales scales, BatchLosses losses)
    {
        float mainWeight = 1f / scales.CountedLabels;
        float mtpWeight = _mtp.Length == 0 ? 0 : scales.MtpWeight / _mtp.Length / scales.CountedLabels;
        Prepare(batch, scales.BalanceWeight / scales.Sequences, isTraining: true);
        var hidden = ForwardMain(out var x);

        var dHidden = _arena.Matrix(hidden.Rows, hidden.Columns);
        losses.MainSum += RunHead(0, hidden, mainWeight, dHidden);
        ForwardMtp(hidden, mtpWeight, gradient: true, losses);
        AddBalance(losses);

        for (int k = _mtp.Length; k >= 1; k--)
        {
            var c = _contexts[k];
            var mark = _scratch.Save();
            var dPrevious = _mtp[k - 1].Backward(c, _mtpGradients[k - 1], _mtpStates[k - 1]);
            AddFirstRows(dPrevious, _batches[k].Length, k == 1 ? dHidden : _mtpGradients[k - 2], _batches[k - 1].Length);
            _scratch.Release(mark);
        }

        BackwardMain(dHidden, x);
    }

    /// <summary>Adds a micro-batch's losses to the sums; gradients and loads stay as they are.</summary>
    public void Evaluate(PackedBatch batch, BatchLosses losses)
    {
        Prepare(batch, 0, isTraining: false);
        var hidden = ForwardMain(out _);
        losses.MainSum += RunHead(0, hidden, 0, default);
        ForwardMtp(hidden, 0, gradient: false, losses);
        AddAccepted(losses);
        AddBalance(losses);
    }

    public void Dispose()
    {
        Parameters.Dispose();
        foreach (var layer in ExpertLayers) layer.Dispose();
        _arena.Dispose();
        _scratch.Dispose();
        _rotary.Dispose();
    }

    private void Prepare(PackedBatch batch, float balanceScale, bool isTraining)
    {
        _arena.Reset();
        _scratch.Reset();
        for (int k = 0; k < _contexts.Length; k++)
        {
            _contexts[k].BalanceScale = balanceScale;
            _contexts[k].CountsLoad = _contexts[k].KeepsActivations = isTraining;
            _batches[k].Prepare(batch, _contexts[k]);
        }
    }

    private Tensor ForwardMain(out Tensor x)
    {
        var c = _contexts[0];
        x = _arena.Matrix(_batches[0].Ids.Count, Config.HiddenSize);
        _embedding.ForwardInto(c, _batches[0].Ids, x);
        for (int l = 0; l < _blocks.Length; l++) _blocks[l].Forward(c, x, _blockStates[l]);
        var hidden = _arena.Matrix(x.Rows, x.Columns);
        _finalNorm.ForwardInto(c, x, hidden, _finalNormState);
        return hidden;
    }

    private void BackwardMain(Tensor dHidden, Tensor x)
    {
        var c = _contexts[0];
        var dx = _arena.Matrix(x.Rows, x.Columns);
        _finalNorm.BackwardInput(c, dHidden, dx, accumulate: false, _finalNormState);
        _finalNorm.BackwardWeight(c, _finalNormState);
        for (int l = _blocks.Length - 1; l >= 0; l--)
            _blocks[l].Backward(c, dx, _blockStates[l]);
        _embedding.BackwardWeight(c, dx, _batches[0].Ids);
    }

    private void ForwardMtp(Tensor hidden, float weight, bool gradient, BatchLosses losses)
    {
        for (int k = 1; k <= _mtp.Length; k++)
        {
            var c = _contexts[k];
            int rows = (int)_batches[k].Ids.Count;
            var previous = _arena.Matrix(rows, Config.HiddenSize);
            CopyFirstRows(hidden, _batches[k - 1].Length, previous, _batches[k].Length);
            hidden = _mtp[k - 1].Forward(c, previous, _batches[k].Ids, _mtpStates[k - 1]);
            _mtpGradients[k - 1] = gradient ? _arena.Matrix(rows, Config.HiddenSize) : default;
            losses.MtpSums[k - 1] += RunHead(k, hidden, weight, _mtpGradients[k - 1]);
            losses.MtpCounts[k - 1] += _batches[k].Counted;
        }
    }

    private double RunHead(int depth, Tensor hidden, float weight, Tensor dHidden)
    {
        var c = _contexts[depth];
        var mark = _scratch.Save();
        var rowLosses = c.Vector(hidden.Rows);
        var choices = dHidden.IsEmpty ? c.Integers(hidden.Rows) : default;
        _head.Run(c, hidden, _batches[depth].Labels, weight, rowLosses, dHidden, choices);
        if (!choices.IsEmpty) _backend.Read(choices, _batches[depth].Choices);
        if (_rowLosses.Length < hidden.Rows) _rowLosses = new float[hidden.Rows];
        var values = _rowLosses.AsSpan(0, hidden.Rows);
        _backend.Read(rowLosses, values);
        _scratch.Release(mark);
        double sum = 0;
        foreach (float loss in values) sum += loss;
        return sum;
    }

    // Row i of depth k and row i + k of the main model predict the same token: where both would say the same, a greedy draft is accepted (given the true tokens before it).
    private void AddAccepted(BatchLosses losses)
    {
        for (int k = 1; k <= _mtp.Length; k++)
        {
            int length = _batches[k].Length, mainLength = _batches[0].Length;
            for (int row = 0; row < _batches[k].Choices.Length; row++)
            {
                int main = row / length * mainLength + row % length + k;
                if (_batches[k].Counts(row) && _batches[k].Choices[row] == _batches[0].Choices[main]) losses.Accepted[k - 1]++;
            }
        }
    }

    private void AddBalance(BatchLosses losses)
    {
        int index = 0;
        for (int l = 0; l < _blocks.Length; l++)
        {
            if (_blocks[l].Experts is not null) losses.BalanceSums[index++] += Sum(_blockStates[l].Experts.BalanceLoss);
        }

        for (int k = 0; k < _mtp.Length; k++)
        {
            if (_mtp[k].Block.Experts is not null) losses.BalanceSums[index++] += Sum(_mtpStates[k].Block.Experts.BalanceLoss);
        }
    }

    private double Sum(Tensor sequenceLosses)
    {
        if (_balanceLosses.Length < sequenceLosses.Count) _balanceLosses = new float[sequenceLosses.Count];
        var values = _balanceLosses.AsSpan(0, (int)sequenceLosses.Count);
        _backend.Read(sequenceLosses, values);
        double sum = 0;
        foreach (float loss in values) sum += loss;
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

    private static Storage MakeRotary(IBackend backend, ModelConfig config, int positions, out Tensor cos, out Tensor sin)
    {
        var table = new RotaryTable(config);
        int half = config.RopeWidth / 2;
        var storage = backend.CreateStorage(2L * positions * half * sizeof(float));
        cos = storage.View(0, DType.F32, new Shape(positions, half));
        sin = storage.View((long)positions * half * sizeof(float), DType.F32, new Shape(positions, half));
        var cosines = new float[positions * half];
        var sines = new float[positions * half];
        table.Fill(0, cosines, sines);
        backend.Write(cosines, cos);
        backend.Write(sines, sin);
        return storage;
    }
}
