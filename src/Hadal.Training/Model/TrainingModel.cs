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

    // Of the main model and of each module.
    private readonly Tensor[] _hidden, _dHidden, _rowLosses, _choices;
    private readonly MicroBatchContext[] _contexts;
    private readonly BatchTensors[] _batches;
    private float[] _values = [];

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
        (_hidden, _dHidden, _rowLosses, _choices) = (new Tensor[_mtp.Length + 1], new Tensor[_mtp.Length + 1], new Tensor[_mtp.Length + 1], new Tensor[_mtp.Length + 1]);
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

    /// <summary>Those of them that have router biases.</summary>
    public IEnumerable<MixtureOfExperts> BiasedLayers => ExpertLayers.Where(e => !e.BiasTensor.IsEmpty);

    public BatchLosses CreateLosses() => new(_mtp.Length, ExpertLayers.Count);

    /// <summary>Adds a micro-batch's gradients to the parameters' and its losses to the sums.</summary>
    public void ForwardBackward(PackedBatch batch, LossScales scales, BatchLosses losses)
    {
        Prepare(batch, scales.BalanceWeight / scales.Sequences, isTraining: true);
        Forward(out var x);
        for (int k = 0; k <= _mtp.Length; k++) _dHidden[k] = _arena.Matrix(_hidden[k].Rows, _hidden[k].Columns);
        RunHeads(1f / scales.CountedLabels, _mtp.Length == 0 ? 0 : scales.MtpWeight / _mtp.Length / scales.CountedLabels, gradient: true, losses);
        AddBalance(losses);
        for (int k = _mtp.Length; k >= 1; k--)
        {
            var mark = _scratch.Save();
            var dPrevious = _mtp[k - 1].Backward(_contexts[k], _dHidden[k], _mtpStates[k - 1]);
            AddFirstRows(dPrevious, _batches[k].Length, _dHidden[k - 1], _batches[k - 1].Length);
            _scratch.Release(mark);
        }

        AddToEmbedding(BackwardMain(_dHidden[0], x));
    }

    /// <summary>Adds a micro-batch's losses to the sums; gradients and loads stay as they are.</summary>
    public void Evaluate(PackedBatch batch, BatchLosses losses)
    {
        Prepare(batch, 0, isTraining: false);
        Forward(out _);
        RunHeads(0, 0, gradient: false, losses);
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

    // The main model, then module by module, each from the first rows of the one before.
    private void Forward(out Tensor x)
    {
        var c = _contexts[0];
        x = _arena.Matrix(_batches[0].Ids.Count, Config.HiddenSize);
        _embedding.ForwardInto(c, _batches[0].Ids, x);
        for (int l = 0; l < _blocks.Length; l++) _blocks[l].Forward(c, x, _blockStates[l]);
        _hidden[0] = _arena.Matrix(x.Rows, x.Columns);
        _finalNorm.ForwardInto(c, x, _hidden[0], _finalNormState);
        for (int k = 1; k <= _mtp.Length; k++)
        {
            var previous = _arena.Matrix(_batches[k].Ids.Count, Config.HiddenSize);
            CopyFirstRows(_hidden[k - 1], _batches[k - 1].Length, previous, _batches[k].Length);
            _hidden[k] = _mtp[k - 1].Forward(_contexts[k], previous, _batches[k].Ids, _mtpStates[k - 1]);
        }
    }

    // Gives the gradient for the embedded tokens.
    private Tensor BackwardMain(Tensor dHidden, Tensor x)
    {
        var c = _contexts[0];
        var dx = _arena.Matrix(x.Rows, x.Columns);
        _finalNorm.BackwardInput(c, dHidden, dx, accumulate: false, _finalNormState);
        _finalNorm.BackwardWeight(c, _finalNormState);
        for (int l = _blocks.Length - 1; l >= 0; l--) _blocks[l].Backward(c, dx, _blockStates[l]);
        return dx;
    }

    // Head and embedding are shared by all depths. Sequence by sequence, so that sums come out the same however a batch is cut into micro-batches.
    private void RunHeads(float mainWeight, float mtpWeight, bool gradient, BatchLosses losses)
    {
        var mark = _scratch.Save();
        for (int k = 0; k <= _mtp.Length; k++)
        {
            _rowLosses[k] = _contexts[k].Vector(_hidden[k].Rows);
            _choices[k] = gradient ? default : _contexts[k].Integers(_hidden[k].Rows);
        }

        int parts = _mtp.Length == 0 ? 1 : _hidden[0].Rows / _batches[0].Length;
        for (int part = 0; part < parts; part++)
        {
            for (int k = 0; k <= _mtp.Length; k++)
            {
                int rows = _hidden[k].Rows / parts, first = part * rows;
                _head.Run(
                    _contexts[k], _hidden[k].RowRange(first, rows), _batches[k].Labels.ElementRange(first, rows), k == 0 ? mainWeight : mtpWeight, _rowLosses[k].ElementRange(first, rows),
                    gradient ? _dHidden[k].RowRange(first, rows) : default, gradient ? default : _choices[k].ElementRange(first, rows));
            }
        }

        losses.MainSum = AddTo(losses.MainSum, _rowLosses[0]);
        for (int k = 0; k <= _mtp.Length; k++)
        {
            if (!gradient) _backend.Read(_choices[k], _batches[k].Choices);
            if (k == 0) continue;
            losses.MtpSums[k - 1] = AddTo(losses.MtpSums[k - 1], _rowLosses[k]);
            losses.MtpCounts[k - 1] += _batches[k].Counted;
        }

        _scratch.Release(mark);
    }

    private void AddToEmbedding(Tensor dMain)
    {
        int parts = _mtp.Length == 0 ? 1 : dMain.Rows / _batches[0].Length;
        for (int part = 0; part < parts; part++)
        {
            for (int k = _mtp.Length; k >= 0; k--)
            {
                var dEmbedded = k == 0 ? dMain : _mtpStates[k - 1].DEmbedded;
                int rows = dEmbedded.Rows / parts;
                _embedding.BackwardWeight(_contexts[k], dEmbedded.RowRange(part * rows, rows), _batches[k].Ids.ElementRange(part * rows, rows));
            }
        }
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
            if (_blocks[l].Experts is not null) Add(_blockStates[l].Experts.BalanceLoss);
        }

        for (int k = 0; k < _mtp.Length; k++)
        {
            if (_mtp[k].Block.Experts is not null) Add(_mtpStates[k].Block.Experts.BalanceLoss);
        }

        void Add(Tensor sequenceLosses)
        {
            losses.BalanceSums[index] = AddTo(losses.BalanceSums[index], sequenceLosses);
            index++;
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
