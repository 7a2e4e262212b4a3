using Hadal.Inference.Batching;
using Hadal.Serving.Answering;
using Hadal.Serving.Chat;
using Hadal.Serving.Hosting;
using Hadal.Serving.Monitoring;
using Hadal.Serving.OpenAI;
using Microsoft.Extensions.AI;

namespace Hadal.Serving.Embeddings;

/// <summary>
/// A model in this process as an <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/>: the same path as <c>POST /v1/embeddings</c>, without the network.
/// Thread-safe; texts are computed beside the answers of others.
/// </summary>
/// <remarks>Vectors are pooled hidden states, of length 1. Of <see cref="EmbeddingGenerationOptions"/> it heeds ModelId and Dimensions, which has to be the
/// model's width.</remarks>
public sealed class HadalEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly ModelSource _source;
    private readonly Pooling _pooling;
    private readonly ServingLimits _limits;
    private readonly ServingMeters? _meters;

    /// <summary>A generator of a model.</summary>
    /// <param name="model">The model; it has to outlive the generator, which does not dispose it.</param>
    /// <param name="pooling">How vectors are made.</param>
    public HadalEmbeddingGenerator(ServedModel model, Pooling pooling)
        : this(new ModelSource([]), pooling, new ServingLimits(), null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _source.Set(model);
    }

    internal HadalEmbeddingGenerator(ModelSource source, Pooling pooling, ServingLimits limits, ServingMeters? meters) =>
        (_source, _pooling, _limits, _meters) = (source, pooling, limits, meters);

    /// <summary>Computes the vectors of texts.</summary>
    /// <param name="values">The texts; none may be empty or longer than the context.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="cancellationToken">Gives them up.</param>
    /// <returns>The vectors, in the order of the texts.</returns>
    /// <exception cref="ChatRequestException">A text or an option is not possible; the message says what would be.</exception>
    /// <exception cref="Inference.GenerationException">A text is longer than the context.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait, or the application is stopping.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        var model = await _source.Loaded.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_source.IsStopping) throw new EngineBusyException("The application is stopping and takes no more requests.");
        List<EmbeddingRequest> texts;
        try
        {
            _ = _source.Named(options?.ModelId);
            TextEmbedding.CheckDimensions(options?.Dimensions, model);
            texts = [.. values.Select((text, i) => new EmbeddingRequest { Tokens = TextEmbedding.Tokens(text, $"values[{i}]", model), Pooling = _pooling })];
        }
        catch (RequestException e)
        {
            throw new ChatRequestException(e.Message, e.Field, e.Code, e);
        }

        if (texts.Count == 0) return [];
        using var observation = _meters?.Observe("embeddings", model, null, null);
        var results = await TextEmbedding.EmbedAsync(model, texts, _limits, cancellationToken).ConfigureAwait(false);
        int tokens = texts.Sum(t => t.Tokens.Count);
        observation?.End(tokens, results);
        var created = DateTimeOffset.UtcNow;
        return new GeneratedEmbeddings<Embedding<float>>(results.Select(r => new Embedding<float>(r.Vector) { ModelId = model.Name, CreatedAt = created }))
        {
            Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens },
        };
    }

    /// <summary>Offers <see cref="EmbeddingGeneratorMetadata"/>, and of a loaded model <see cref="ServedModel"/> and <see cref="InferenceEngine"/>.</summary>
    /// <param name="serviceType">What is asked for.</param>
    /// <param name="serviceKey">Has to be null.</param>
    /// <returns>The service; null if there is no such one.</returns>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        var model = _source.Loaded.IsCompletedSuccessfully ? _source.Loaded.Result : null;
        if (serviceType == typeof(EmbeddingGeneratorMetadata)) return new EmbeddingGeneratorMetadata("hadal", null, model?.Name, model?.Engine.Model.Config.HiddenSize);
        return _source.Service(serviceType) ?? (serviceType.IsInstanceOfType(this) ? this : null);
    }

    /// <summary>Does nothing: the model belongs to the application.</summary>
    public void Dispose()
    {
    }
}
