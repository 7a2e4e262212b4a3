using Hadal.Inference.Batching;
using Hadal.Serving.Answering;
using Hadal.Serving.OpenAI;

namespace Hadal.Serving.Embeddings;

/// <summary>What the API and the generator in the process have in common.</summary>
internal static class TextEmbedding
{
    /// <summary>Vectors have the width of the model, all of it.</summary>
    /// <exception cref="RequestException">Another width is wanted.</exception>
    public static void CheckDimensions(int? wanted, ServedModel model)
    {
        int width = model.Engine.Model.Config.HiddenSize;
        if (wanted is { } dimensions && dimensions != width)
            throw new RequestException($"dimensions is {dimensions}, but vectors of {model.Name} have {width} and cannot be shortened; leave it out.", "dimensions");
    }

    /// <summary>The tokens of a text.</summary>
    /// <exception cref="RequestException">It is empty.</exception>
    public static int[] Tokens(string text, string name, ServedModel model) =>
        text.Length > 0 ? TextInputs.Encode(text, model.Tokenizer) : throw new RequestException($"{name} is an empty text, which has no vector.", name);

    /// <summary>Computes the vectors of a request's texts: a few at a time, so that a long list leaves room for others.</summary>
    /// <returns>The vectors, in the order of the texts.</returns>
    public static async Task<EmbeddingResult[]> EmbedAsync(ServedModel model, IReadOnlyList<EmbeddingRequest> texts, ServingLimits limits, CancellationToken cancellation)
    {
        var results = new EmbeddingResult[texts.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = limits.MostChoices, CancellationToken = cancellation };
        await Parallel.ForAsync(0, texts.Count, options, async (i, stop) => results[i] = await model.Engine.EmbedAsync(texts[i], stop).ConfigureAwait(false)).ConfigureAwait(false);
        return results;
    }
}
