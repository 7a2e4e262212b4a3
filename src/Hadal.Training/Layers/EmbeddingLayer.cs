using Hadal.Numerics;
using Hadal.Training.Parameters;

namespace Hadal.Training.Layers;

/// <summary>Token ids to rows of the table, shared by the main model and the MTP modules.</summary>
internal sealed class EmbeddingLayer(ParameterSet parameters, int vocabulary, int width)
{
    private readonly int _region = parameters.Declare("model.embed_tokens.weight", new Shape(vocabulary, width));

    public void ForwardInto(MicroBatchContext c, Tensor ids, Tensor y) => c.Backend.Embed(parameters.Get(_region).Weight, ids, y);

    public void BackwardWeight(MicroBatchContext c, Tensor dy, Tensor ids) => c.Backend.EmbedWeightBackward(dy, ids, parameters.Get(_region).Gradient);
}
