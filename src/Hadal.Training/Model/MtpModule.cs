using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Layers;
using Hadal.Training.Parameters;
using Hadal.Training.Precision;

namespace Hadal.Training.Model;

/// <summary>One depth of multi-token prediction (report section 2.2): row i predicts token i + k + 1 from the depth before at i and the true token i + k.</summary>
/// <remarks>
/// x = eh_proj·[enorm(embedding) ; hnorm(hidden)], embedding half first as checkpoints have it; one decoder block; its own norm before the shared head.
/// Hidden is the depth before after its final norm.
/// </remarks>
internal sealed class MtpModule
{
    private readonly EmbeddingLayer _embedding;
    private readonly RmsNormLayer _embeddingNorm, _hiddenNorm, _finalNorm;
    private readonly LinearLayer _project;
    private readonly int _width;

    public MtpModule(IBackend backend, ParameterSet parameters, ModelConfig config, EmbeddingLayer embedding, int depth, RecomputedParts recomputed = RecomputedParts.None)
    {
        int layer = config.Layers + depth - 1;
        string prefix = $"model.layers.{layer}.";
        float epsilon = (float)config.NormEpsilon;
        _width = config.HiddenSize;
        _embedding = embedding;
        _embeddingNorm = new RmsNormLayer(parameters, prefix + "enorm.weight", _width, epsilon);
        _hiddenNorm = new RmsNormLayer(parameters, prefix + "hnorm.weight", _width, epsilon);
        _project = new LinearLayer(parameters, prefix + "eh_proj.weight", _width, 2 * _width, LinearRole.Outer);
        Block = new DecoderBlock(backend, parameters, config, layer, recomputed);
        _finalNorm = new RmsNormLayer(parameters, prefix + "shared_head.norm.weight", _width, epsilon);
    }

    public DecoderBlock Block { get; }

    /// <summary>From the hidden rows [B·(L - k)] of the depth before, in kept memory, to this depth's, ready for the head.</summary>
    public Tensor Forward(MicroBatchContext c, Tensor hidden, Tensor nextTokens, State s)
    {
        var embedded = c.KeptMatrix(hidden.Rows, _width);
        _embedding.ForwardInto(c, nextTokens, embedded);
        var mark = c.Scratch.Save();
        var joined = c.MatrixFor(c.Precision.Forms.OuterInput, hidden.Rows, 2L * _width);
        _embeddingNorm.ForwardInto(c, embedded, joined.ColumnRange(0, _width), s.EmbeddingNorm);
        _hiddenNorm.ForwardInto(c, hidden, joined.ColumnRange(_width, _width), s.HiddenNorm);
        s.Joined = KeptActivation.Of(c, joined, c.Precision.Forms.OuterInput);
        var x = c.Arena.Matrix(hidden.Rows, _width);
        _project.ForwardInto(c, joined, x);
        c.Scratch.Release(mark);
        Block.Forward(c, x, s.Block);
        var y = c.Arena.Matrix(hidden.Rows, _width);
        _finalNorm.ForwardInto(c, x, y, s.FinalNorm);
        return y;
    }

    /// <summary>Gradients of every part but the embedding, for which it is kept; gives the one for the hidden rows of the depth before, in temporary memory.</summary>
    public Tensor Backward(MicroBatchContext c, Tensor dNormed, State s)
    {
        var dx = c.Matrix(dNormed.Rows, _width);
        _finalNorm.BackwardInput(c, dNormed, dx, accumulate: false, s.FinalNorm);
        _finalNorm.BackwardWeight(c, s.FinalNorm);
        Block.Backward(c, dx, s.Block);

        var dJoined = _project.BackwardInput(c, dx, s.Project);
        _project.BackwardWeight(c, s.Joined.Restore(c), s.Project);
        s.DEmbedded = c.KeptMatrix(dNormed.Rows, _width);
        _embeddingNorm.BackwardInput(c, dJoined.ColumnRange(0, _width), s.DEmbedded, accumulate: false, s.EmbeddingNorm);
        _embeddingNorm.BackwardWeight(c, s.EmbeddingNorm);

        var dHidden = c.Matrix(dNormed.Rows, _width);
        _hiddenNorm.BackwardInput(c, dJoined.ColumnRange(_width, _width), dHidden, accumulate: false, s.HiddenNorm);
        _hiddenNorm.BackwardWeight(c, s.HiddenNorm);
        return dHidden;
    }

    public sealed class State
    {
        public readonly RmsNormLayer.State EmbeddingNorm = new(), HiddenNorm = new(), FinalNorm = new();
        public readonly LinearLayer.State Project = new();
        public readonly DecoderBlock.State Block = new();
        public KeptActivation Joined;

        /// <summary>The gradient for the embedded next tokens.</summary>
        public Tensor DEmbedded;
    }
}
