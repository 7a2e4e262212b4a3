using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Hadal.Serving.OpenAI;

/// <summary>A response of server-sent events.</summary>
internal sealed class EventStream(HttpResponse response)
{
    /// <summary>Sends the headers.</summary>
    public async Task BeginAsync(CancellationToken cancellation)
    {
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";

        // Proxies that gather answers would take the stream away from the reader.
        response.Headers["X-Accel-Buffering"] = "no";
        response.HttpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await response.StartAsync(cancellation).ConfigureAwait(false);
    }

    public void Write<T>(T value, JsonTypeInfo<T> type)
    {
        response.BodyWriter.Write("data: "u8);
        using (var writer = WireJson.Writer(response.BodyWriter)) JsonSerializer.Serialize(writer, value, type);
        response.BodyWriter.Write("\n\n"u8);
    }

    public async Task FlushAsync(CancellationToken cancellation) => await response.BodyWriter.FlushAsync(cancellation).ConfigureAwait(false);

    public async Task KeepAliveAsync(CancellationToken cancellation)
    {
        response.BodyWriter.Write(": still working\n\n"u8);
        await FlushAsync(cancellation).ConfigureAwait(false);
    }

    public async Task EndAsync(CancellationToken cancellation)
    {
        response.BodyWriter.Write("data: [DONE]\n\n"u8);
        await FlushAsync(cancellation).ConfigureAwait(false);
    }
}
