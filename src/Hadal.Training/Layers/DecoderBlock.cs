using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Activations;
using Hadal.Training.Attention;
using Hadal.Training.Experts;
using Hadal.Training.Parameters;

namespace Hadal.Training.Layers;

/// <summary>x ← x + attention(norm(x)); x ← x + ffn(norm(x)), the latter a dense MLP or a mixture of experts.</summary>
internal sealed class DecoderBlock
{
    private readonly RmsNormLayer _attentionNorm, _feedForwardNorm;
    private readonly LatentAttentionLayer _attention;
    private readonly GatedMlp? _dense;
    private readonly RecomputedParts _recomputed;

    public DecoderBlock(IBackend backend, ParameterSet parameters, ModelConfig config, int layer, RecomputedParts recomputed = RecomputedParts.None)
    {
        string prefix = $"model.layers.{layer}.";
        float epsilon = (float)config.NormEpsilon;
        _recomputed = recomputed;
        _attentionNorm = new RmsNormLayer(parameters, prefix + "input_layernorm.weight", config.HiddenSize, epsilon);
        _attention = new LatentAttentionLayer(parameters, config, prefix + "self_attn.");
        _feedForwardNorm = new RmsNormLayer(parameters, prefix + "post_attention_layernorm.weight", config.HiddenSize, epsilon);
        if (config.IsMixtureOfExperts(layer)) Experts = new MixtureOfExperts(backend, parameters, config, prefix + "mlp.");
        else _dense = new GatedMlp(parameters, prefix + "mlp.", config.HiddenSize, config.DenseWidth);
    }

    /// <summary>The experts; null in a dense layer.</summary>
    public MixtureOfExperts? Experts { get; }

    private bool IsRecomputed => (_recomputed & RecomputedParts.Block) != 0;

    /// <summary>Advances the residual stream in place.</summary>
    public void Forward(MicroBatchContext c, Tensor x, State s)
    {
        var mark = c.Scratch.Save();
        c.Recomputed = _recomputed;
        bool keeps = c.KeepsActivations;
        if (IsRecomputed && keeps)
        {
            s.Input = c.KeptCopy(x);
            c.KeepsActivations = false;
        }

        Run(c, x, s);
        c.KeepsActivations = keeps;
        c.Scratch.Release(mark);
    }

    /// <summary>Gradients of every weight; turns the gradient for the output into the gradient for the input, in place.</summary>
    public void Backward(MicroBatchContext c, Tensor dx, State s)
    {
        var (kept, temporary) = (c.Arena.Save(), c.Scratch.Save());
        c.Recomputed = _recomputed;
        if (IsRecomputed)
        {
            c.IsRecomputing = true;
            Run(c, c.Copy(s.Input), s);
            c.IsRecomputing = false;
        }

        BackwardInput(c, dx, s);
        BackwardWeight(c, s);
        c.Scratch.Release(temporary);
        if (IsRecomputed) c.Arena.Release(kept);
    }

    private void Run(MicroBatchContext c, Tensor x, State s)
    {
        // The norms keep their input for the backward; the stream goes on in place, so they get a copy.
        var forms = c.Precision.Forms;
        c.Backend.Add(_attention.Forward(c, _attentionNorm.Forward(c, c.KeptCopy(x), forms.LinearInput, s.AttentionNorm), s.Attention), x);
        var normed = _feedForwardNorm.Forward(c, c.KeptCopy(x), Experts is null ? forms.LinearInput : forms.Dispatched, s.FeedForwardNorm);
        var y = Experts is null ? _dense!.Forward(c, normed, s.Dense) : Experts.Forward(c, normed, s.Experts);
        if (!y.IsEmpty) c.Backend.Add(y, x);
    }

    private void BackwardInput(MicroBatchContext c, Tensor dx, State s)
    {
        // The layers keep dy for the weight gradients while dx moves on.
        var dOut = c.Copy(dx);
        var dNormed = Experts is null ? _dense!.BackwardInput(c, dOut, s.Dense) : Experts.BackwardInput(c, dOut, s.Experts);
        _feedForwardNorm.BackwardInput(c, dNormed, dx, accumulate: true, s.FeedForwardNorm);
        dNormed = _attention.BackwardInput(c, c.Copy(dx), s.Attention);
        _attentionNorm.BackwardInput(c, dNormed, dx, accumulate: true, s.AttentionNorm);
    }

    private void BackwardWeight(MicroBatchContext c, State s)
    {
        _attention.BackwardWeight(c, _attentionNorm.Output(c, s.AttentionNorm), s.Attention);
        _attentionNorm.BackwardWeight(c, s.AttentionNorm);
        var normed = _feedForwardNorm.Output(c, s.FeedForwardNorm);
        _dense?.BackwardWeight(c, normed, s.Dense);
        Experts?.BackwardWeight(c, normed, s.Experts);
        _feedForwardNorm.BackwardWeight(c, s.FeedForwardNorm);
    }

    public sealed class State
    {
        public readonly RmsNormLayer.State AttentionNorm = new(), FeedForwardNorm = new();
        public readonly LatentAttentionLayer.State Attention = new();
        public readonly GatedMlp.State Dense = new();
        public readonly MixtureOfExperts.State Experts = new();

        /// <summary>The residual stream before the layer, where the layer is computed again.</summary>
        public Tensor Input;
    }
}
