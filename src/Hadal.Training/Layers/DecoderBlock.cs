using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Attention;
using Hadal.Training.Experts;
using Hadal.Training.Parameters;

namespace Hadal.Training.Layers;

/// <summary>x ← x + attention(norm(x)); x ← x + ffn(norm(x)), the latter a dense MLP or a mixture of experts.</summary>
/// <remarks>
/// Forward and backward come in parts: attention, MLP, end; and begin, MLP, attention, end, with the weight gradients behind the gradients for the inputs or later. Between two parts rows
/// travel to and from experts that live elsewhere; a schedule that overlaps chunks computes a part of another one meanwhile (report section 3.2.1).
/// </remarks>
internal sealed class DecoderBlock
{
    private readonly RmsNormLayer _attentionNorm, _feedForwardNorm;
    private readonly LatentAttentionLayer _attention;
    private readonly GatedMlp? _dense;
    private readonly RecomputedParts _recomputed;

    public DecoderBlock(IBackend backend, StageParameters parameters, ModelConfig config, int layer, IExpertExchange exchange, RecomputedParts recomputed = RecomputedParts.None)
    {
        string prefix = $"model.layers.{layer}.";
        float epsilon = (float)config.NormEpsilon;
        _recomputed = recomputed;
        _attentionNorm = new RmsNormLayer(parameters.Dense, prefix + "input_layernorm.weight", config.HiddenSize, epsilon);
        _attention = new LatentAttentionLayer(parameters.Dense, config, prefix + "self_attn.");
        _feedForwardNorm = new RmsNormLayer(parameters.Dense, prefix + "post_attention_layernorm.weight", config.HiddenSize, epsilon);
        if (config.IsMixtureOfExperts(layer)) Experts = new MixtureOfExperts(backend, parameters, config, prefix + "mlp.", exchange);
        else _dense = new GatedMlp(parameters.Dense, prefix + "mlp.", config.HiddenSize, config.DenseWidth);
    }

    /// <summary>The experts; null in a dense layer.</summary>
    public MixtureOfExperts? Experts { get; }

    private bool IsRecomputed => (_recomputed & RecomputedParts.Block) != 0;

    /// <summary>First part of the forward: attention, and rows on their way to the experts. Advances the residual stream in place.</summary>
    public void ForwardAttention(MicroBatchContext c, Tensor x, State s)
    {
        s.Mark = c.Scratch.Save();
        c.Recomputed = _recomputed;
        s.KeepsActivations = c.KeepsActivations;
        if (IsRecomputed && c.KeepsActivations)
        {
            s.Input = c.KeptCopy(x);
            c.KeepsActivations = false;
        }

        RunAttention(c, x, s);
        c.KeepsActivations = s.KeepsActivations;
    }

    /// <summary>Second part: the MLP or the experts, and their results on the way back.</summary>
    public void ForwardMlp(MicroBatchContext c, State s)
    {
        c.Recomputed = _recomputed;
        c.KeepsActivations &= !IsRecomputed;
        RunMlp(c, s);
        c.KeepsActivations = s.KeepsActivations;
    }

    /// <summary>Last part.</summary>
    public void ForwardEnd(MicroBatchContext c, Tensor x, State s)
    {
        RunEnd(c, x, s);
        c.Scratch.Release(s.Mark);
    }

    /// <summary>First part of the backward: gradients on their way to the experts.</summary>
    /// <param name="c">The micro-batch.</param>
    /// <param name="dx">The gradient for the output; the parts turn it into the gradient for the input, in place.</param>
    /// <param name="s">Of the forward.</param>
    public void BackwardBegin(MicroBatchContext c, Tensor dx, State s)
    {
        (s.Kept, s.Mark) = (c.Arena.Save(), c.Scratch.Save());
        c.Recomputed = _recomputed;
        if (IsRecomputed)
        {
            c.IsRecomputing = true;
            var x = c.Copy(s.Input);
            RunAttention(c, x, s);
            RunMlp(c, s);
            RunEnd(c, x, s);
            c.IsRecomputing = false;
        }

        // The layers keep dy for the weight gradients while dx moves on.
        s.DOut = c.GradientCopy(dx);
        Experts?.BeginBackward(c, s.DOut, s.Experts);
    }

    /// <summary>Second part: gradients for the inputs of the MLP or of the experts, the latter's on the way back.</summary>
    public void BackwardMlp(MicroBatchContext c, State s)
    {
        c.Recomputed = _recomputed;
        if (Experts is null) s.DNormed = _dense!.BackwardInput(c, s.DOut, s.Dense);
        else Experts.BackwardExperts(c, s.Experts);
    }

    /// <summary>Third part: gradients for the inputs of the router and of attention.</summary>
    public void BackwardAttention(MicroBatchContext c, Tensor dx, State s)
    {
        c.Recomputed = _recomputed;
        if (Experts is not null) s.DNormed = Experts.EndBackward(c, s.Experts);
        _feedForwardNorm.BackwardInput(c, s.DNormed, dx, accumulate: true, s.FeedForwardNorm);
        var dNormed = _attention.BackwardInput(c, c.GradientCopy(dx), s.Attention);
        _attentionNorm.BackwardInput(c, dNormed, dx, accumulate: true, s.AttentionNorm);
    }

    /// <summary>The gradients for the weights of MLP or experts, behind <see cref="BackwardMlp"/>.</summary>
    public void MlpWeights(MicroBatchContext c, State s)
    {
        c.Recomputed = _recomputed;
        var normed = _feedForwardNorm.Output(c, s.FeedForwardNorm);
        _dense?.BackwardWeight(c, normed, s.Dense);
        Experts?.ExpertWeights(c, normed, s.Experts);
    }

    /// <summary>The gradients for all other weights, behind <see cref="BackwardAttention"/>.</summary>
    public void AttentionWeights(MicroBatchContext c, State s)
    {
        c.Recomputed = _recomputed;
        _attention.BackwardWeight(c, _attentionNorm.Output(c, s.AttentionNorm), s.Attention);
        _attentionNorm.BackwardWeight(c, s.AttentionNorm);
        Experts?.RouterWeight(c, _feedForwardNorm.Output(c, s.FeedForwardNorm), s.Experts);
        _feedForwardNorm.BackwardWeight(c, s.FeedForwardNorm);
    }

    /// <summary>Gives back what the backward took; weight gradients that are deferred need it until the micro-batch ends.</summary>
    public void BackwardEnd(MicroBatchContext c, State s)
    {
        c.Scratch.Release(s.Mark);
        if (IsRecomputed && !c.DefersWeights) c.Arena.Release(s.Kept);
    }

    // The norms keep their input for the backward; the stream goes on in place, so they get a copy.
    private void RunAttention(MicroBatchContext c, Tensor x, State s)
    {
        var forms = c.Precision.Forms;
        c.Backend.Add(_attention.Forward(c, _attentionNorm.Forward(c, c.KeptCopy(x), forms.LinearInput, s.AttentionNorm), s.Attention), x);
        s.Normed = _feedForwardNorm.Forward(c, c.KeptCopy(x), Experts is null ? forms.LinearInput : forms.Dispatched, s.FeedForwardNorm);
        Experts?.BeginForward(c, s.Normed, s.Experts);
    }

    private void RunMlp(MicroBatchContext c, State s)
    {
        if (Experts is null) s.Output = _dense!.Forward(c, s.Normed, s.Dense);
        else Experts.RunExperts(c, s.Normed, s.Experts);
    }

    private void RunEnd(MicroBatchContext c, Tensor x, State s)
    {
        if (Experts is not null) s.Output = Experts.EndForward(c, s.Normed, s.Experts);
        if (!s.Output.IsEmpty) c.Backend.Add(s.Output, x);
    }

    public sealed class State
    {
        public readonly RmsNormLayer.State AttentionNorm = new(), FeedForwardNorm = new();
        public readonly LatentAttentionLayer.State Attention = new();
        public readonly GatedMlp.State Dense = new();
        public readonly MixtureOfExperts.State Experts = new();

        /// <summary>The residual stream before the layer, where the layer is computed again.</summary>
        public Tensor Input;

        // Between two parts of a forward or backward.
        internal Tensor Normed, Output, DOut, DNormed;
        internal Arena.Mark Mark, Kept;
        internal bool KeepsActivations;
    }
}
