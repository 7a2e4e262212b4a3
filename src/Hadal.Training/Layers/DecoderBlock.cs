using Hadal.Model.Configuration;
using Hadal.Numerics;
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

    public DecoderBlock(IBackend backend, ParameterSet parameters, ModelConfig config, int layer)
    {
        string prefix = $"model.layers.{layer}.";
        float epsilon = (float)config.NormEpsilon;
        _attentionNorm = new RmsNormLayer(parameters, prefix + "input_layernorm.weight", config.HiddenSize, epsilon);
        _attention = new LatentAttentionLayer(parameters, config, prefix + "self_attn.");
        _feedForwardNorm = new RmsNormLayer(parameters, prefix + "post_attention_layernorm.weight", config.HiddenSize, epsilon);
        if (config.IsMixtureOfExperts(layer)) Experts = new MixtureOfExperts(backend, parameters, config, prefix + "mlp.");
        else _dense = new GatedMlp(parameters, prefix + "mlp.", config.HiddenSize, config.DenseWidth);
    }

    /// <summary>The experts; null in a dense layer.</summary>
    public MixtureOfExperts? Experts { get; }

    /// <summary>Advances the residual stream in place.</summary>
    public void Forward(MicroBatchContext c, Tensor x, State s)
    {
        // The norms keep their input for the backward; the stream goes on in place, so they get a copy.
        var attended = _attention.Forward(c, _attentionNorm.Forward(c, Keep(c, x), s.AttentionNorm), s.Attention);
        c.Backend.Add(attended, x);
        var normed = _feedForwardNorm.Forward(c, Keep(c, x), s.FeedForwardNorm);
        c.Backend.Add(Experts is null ? _dense!.Forward(c, normed, s.Dense) : Experts.Forward(c, normed, s.Experts), x);
    }

    /// <summary>Turns the gradient for the output into the gradient for the input, in place.</summary>
    public void BackwardInput(MicroBatchContext c, Tensor dx, State s)
    {
        // The layers keep dy for the weight gradients while dx moves on.
        var dOut = Keep(c, dx);
        var dNormed = Experts is null ? _dense!.BackwardInput(c, dOut, s.Dense) : Experts.BackwardInput(c, dOut, s.Experts);
        _feedForwardNorm.BackwardInput(c, dNormed, dx, accumulate: true, s.FeedForwardNorm);
        dNormed = _attention.BackwardInput(c, Keep(c, dx), s.Attention);
        _attentionNorm.BackwardInput(c, dNormed, dx, accumulate: true, s.AttentionNorm);
    }

    public void BackwardWeight(MicroBatchContext c, State s)
    {
        _attentionNorm.BackwardWeight(c, s.AttentionNorm);
        _attention.BackwardWeight(c, s.Attention);
        _feedForwardNorm.BackwardWeight(c, s.FeedForwardNorm);
        _dense?.BackwardWeight(c, s.Dense);
        Experts?.BackwardWeight(c, s.Experts);
    }

    private static Tensor Keep(MicroBatchContext c, Tensor x)
    {
        var copy = c.Matrix(x.Rows, x.Columns);
        c.Backend.Copy(x, copy);
        return copy;
    }

    public sealed class State
    {
        public readonly RmsNormLayer.State AttentionNorm = new(), FeedForwardNorm = new();
        public readonly LatentAttentionLayer.State Attention = new();
        public readonly GatedMlp.State Dense = new();
        public readonly MixtureOfExperts.State Experts = new();
    }
}
