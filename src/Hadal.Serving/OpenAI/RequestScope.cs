using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hadal.Inference.Batching;
using Hadal.Serving.Answering;
using Hadal.Serving.Hosting;
using Hadal.Serving.Monitoring;
using Hadal.Serving.Security;
using Microsoft.AspNetCore.Http;

namespace Hadal.Serving.OpenAI;

/// <summary>One request: who asks, what it may cost, when it is over.</summary>
internal sealed class RequestScope(ModelSource source, ServingMeters meters, ApiKey? key, ServingLimits limits, CancellationToken cancellation)
{
    public ServingLimits Limits => limits;

    /// <summary>The client has gone, or the time is up.</summary>
    public CancellationToken Cancellation => cancellation;

    /// <summary>The stream that the answer has become; null as long as it is none.</summary>
    public EventStream? Stream { get; private set; }

    /// <summary>Reads the body.</summary>
    public async Task<T> ReadAsync<T>(HttpContext http, JsonTypeInfo<T> type)
    {
        // A page in a browser cannot send this type to another site without asking first.
        if (!http.Request.HasJsonContentType()) throw new RequestException("The Content-Type has to be application/json.", status: 415);
        return await JsonSerializer.DeserializeAsync(http.Request.Body, type, cancellation).ConfigureAwait(false)
            ?? throw new RequestException("The body is null; expected an object.");
    }

    /// <summary>The model that a request names.</summary>
    public ServedModel Model(string? name) => source.Named(name);

    /// <summary>Puts the owner's name and rights on a request.</summary>
    public EngineRequest Sign(EngineRequest request) => key is null
        ? request
        : request with { Client = key.Name, PrefixScope = key.Name, Priority = Priority(key, request.Priority) };

    /// <summary>Puts the owner's name and rights on a request.</summary>
    public EmbeddingRequest Sign(EmbeddingRequest request) => key is null ? request : request with { Client = key.Name, Priority = Priority(key, request.Priority) };

    public RequestObservation Observe(string operation, ServedModel model, SamplingFields? request) => meters.Observe(operation, model, request, key);

    public EventStream BeginStream(HttpContext http) => Stream = new EventStream(http.Response);

    public async Task WriteAsync<T>(HttpContext http, T value, JsonTypeInfo<T> type)
    {
        http.Response.ContentType = "application/json; charset=utf-8";
        await http.Response.StartAsync(cancellation).ConfigureAwait(false);
        using (var writer = WireJson.Writer(http.Response.BodyWriter)) JsonSerializer.Serialize(writer, value, type);
        await http.Response.BodyWriter.FlushAsync(cancellation).ConfigureAwait(false);
    }

    // Less than the key's is possible, more is not.
    private static int Priority(ApiKey key, int wanted) => Math.Min(key.Priority, key.Priority + wanted);
}
