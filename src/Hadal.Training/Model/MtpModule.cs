using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Experts;
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

    public MtpModule(IBackend backend, StageParameters parameters, ModelConfig config, EmbeddingLayer embedding, int depth, IExpertExchange exchange, RecomputedParts recomputed = RecomputedParts.None)
    {
        int layer = config.Layers + depth - 1;
        string prefix = $"model.layers.{layer}.";
        float epsilon = (float)config.NormEpsilon;
        _width = config.HiddenSize;
        _embedding = embedding;
        _embeddingNorm = new RmsNormLayer(parameters.Dense, prefix + "enorm.weight", _width, epsilon);
        _hiddenNorm = new RmsNormLayer(parameters.Dense, prefix + "hnorm.weight", _width, epsilon);
        _project = new LinearLayer(parameters.Dense, prefix + "eh_proj.weight", _width, 2 * _width, LinearRole.Outer);
        Block = new DecoderBlock(backend, parameters, config, layer, exchange, recomputed);
        _finalNorm = new RmsNormLayer(parameters.Dense, prefix + "shared_head.norm.weight", _width, epsilon);
    }

    public DecoderBlock Block { get; }

    /// <summary>Before the block: the residual stream from the hidden rows [B·(L - k)] of the depth before, which are in kept memory.</summary>
    public void ForwardIn(MicroBatchContext c, Tensor hidden, Tensor nextTokens, State s)
    {
        var embedded = c.KeptMatrix(hidden.Rows, _width);
        _embedding.ForwardInto(c, nextTokens, embedded);
        var mark = c.Scratch.Save();
        var joined = c.MatrixFor(c.Precision.Forms.OuterInput, hidden.Rows, 2L * _width);
        _embeddingNorm.ForwardInto(c, embedded, joined.ColumnRange(0, _width), s.EmbeddingNorm);
        _hiddenNorm.ForwardInto(c, hidden, joined.ColumnRange(_width, _width), s.HiddenNorm);
        s.Joined = KeptActivation.Of(c, joined, c.Precision.Forms.OuterInput);
        s.Stream = c.Arena.Matrix(hidden.Rows, _width);
        _project.ForwardInto(c, joined, s.Stream);
        c.Scratch.Release(mark);
    }

    /// <summary>Behind the block: this depth's hidden rows, ready for the head.</summary>
    public Tensor ForwardOut(MicroBatchContext c, State s)
    {
        var y = c.Arena.Matrix(s.Stream.Rows, _width);
        _finalNorm.ForwardInto(c, s.Stream, y, s.FinalNorm);
        return y;
    }

    /// <summary>Before the block's backward: the gradient for its output.</summary>
    public void BackwardOut(MicroBatchContext c, Tensor dNormed, State s)
    {
        s.DStream = c.GradientMatrix(dNormed.Rows, _width);
        s.DEmbedded = c.KeptMatrix(dNormed.Rows, _width);
        _finalNorm.BackwardInput(c, dNormed, s.DStream, accumulate: false, s.FinalNorm);
    }

    /// <summary>Behind the block's backward: the gradient for the embedded tokens, and the one for the hidden rows of the depth before, which it gives in temporary memory.</summary>
    public Tensor BackwardIn(MicroBatchContext c, State s)
    {
        var dJoined = _project.BackwardInput(c, s.DStream, s.Project);
        _embeddingNorm.BackwardInput(c, dJoined.ColumnRange(0, _width), s.DEmbedded, accumulate: false, s.EmbeddingNorm);
        var dHidden = c.Matrix(dJoined.Rows, _width);
        _hiddenNorm.BackwardInput(c, dJoined.ColumnRange(_width, _width), dHidden, accumulate: false, s.HiddenNorm);
        return dHidden;
    }

    /// <summary>Gradients of every weight but the block's and the embedding's. Behind <see cref="BackwardIn"/>.</summary>
    public void Weights(MicroBatchContext c, State s)
    {
        _finalNorm.BackwardWeight(c, s.FinalNorm);
        _project.BackwardWeight(c, s.Joined.Restore(c), s.Project);
        _embeddingNorm.BackwardWeight(c, s.EmbeddingNorm);
        _hiddenNorm.BackwardWeight(c, s.HiddenNorm);
    }

    public sealed class State
    {
        public readonly RmsNormLayer.State EmbeddingNorm = new(), HiddenNorm = new(), FinalNorm = new();
        public readonly LinearLayer.State Project = new();
        public readonly DecoderBlock.State Block = new();
        public KeptActivation Joined;

        /// <summary>The residual stream through the block, and the gradient for it.</summary>
        public Tensor Stream, DStream;

        /// <summary>The gradient for the embedded next tokens.</summary>
        public Tensor DEmbedded;
    }
}
