using Hadal.Serving.Answering;
using Hadal.Serving.Monitoring;
using Hadal.Serving.OpenAI;
using Hadal.Serving.Page;
using Hadal.Serving.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hadal.Serving.Hosting;

/// <summary>Puts the API into an application.</summary>
public static partial class HadalEndpoints
{
    /// <summary>Maps <c>/v1/chat/completions</c>, <c>/v1/completions</c>, <c>/v1/models</c>, <c>/v1/embeddings</c>, <c>/tokenize</c>, <c>/detokenize</c>,
    /// <c>/health/live</c>, <c>/health/ready</c>, and the page at <c>/</c>. What else is asked for below <c>/v1</c>, and is not the application's, gets an error in the API's shape.</summary>
    /// <param name="endpoints">The application, after <c>services.AddHadal(…)</c>.</param>
    /// <returns>What was mapped, for further conventions (authorisation, rate limits, CORS).</returns>
    /// <exception cref="ApiKeyException">The file of API keys is missing, empty, or has a line that is wrong.</exception>
    public static IEndpointConventionBuilder MapHadal(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var source = services.GetRequiredService<ModelSource>();
        var options = services.GetRequiredService<IOptions<HadalOptions>>().Value;
        var door = new Door(source, services.GetRequiredService<ServingMeters>(), services.GetRequiredService<Gatekeeper>(), options.Limits, services.GetRequiredService<ILogger<ModelSource>>());
        var group = endpoints.MapGroup("");
        group.MapPost("/v1/chat/completions", door.Open(ChatEndpoint.HandleAsync));
        group.MapPost("/v1/completions", door.Open(CompletionEndpoint.HandleAsync));
        group.MapPost("/v1/embeddings", door.Open(new EmbeddingEndpoint(options.Embeddings).HandleAsync));
        group.MapGet("/v1/models", door.Open(TokenEndpoints.ModelsAsync));
        group.MapGet("/v1/models/{**name}", door.Open(TokenEndpoints.ModelAsync));
        group.Map("/v1/{**rest}", door.Open((http, _) => throw new RequestException(
            $"There is no {http.Request.Method} {http.Request.Path} here; this server has POST /v1/chat/completions, /v1/completions and /v1/embeddings, and GET /v1/models.", code: "unknown_url", status: 404), counts: false));
        group.MapPost("/tokenize", door.Open(TokenEndpoints.TokenizeAsync));
        group.MapPost("/detokenize", door.Open(TokenEndpoints.DetokenizeAsync));
        group.MapGet("/hadal/status", door.Open(StatusEndpoint.HandleAsync, counts: false));
        group.MapGet("/health/live", () => Results.Text("live\n"));
        group.MapGet("/health/ready", () => source.IsReady ? Results.Text("ready\n") : Results.Text(source.IsStopping ? "stopping\n" : "loading\n", statusCode: 503));
        if (options.Page) StaticPage.Map(group);
        return group;
    }

    /// <summary>Asks for an API key on a path of another's endpoint, if the server has keys; for instance on that of metrics.</summary>
    /// <param name="application">The application.</param>
    /// <param name="path">The path, with everything below it.</param>
    /// <returns>The application.</returns>
    public static IApplicationBuilder UseHadalKeys(this IApplicationBuilder application, PathString path)
    {
        ArgumentNullException.ThrowIfNull(application);
        var gatekeeper = application.ApplicationServices.GetRequiredService<Gatekeeper>();
        return application.Use(async (http, next) =>
        {
            // Routes do not tell capitals from small letters, so neither may the door.
            if (http.Request.Path.StartsWithSegments(path, StringComparison.OrdinalIgnoreCase))
            {
                try
                {
                    gatekeeper.Identify(http.Request);
                }
                catch (RequestException e)
                {
                    await Errors.WriteAsync(http, e.Status, Errors.Body(e.Message, "authentication_error", null, e.Code)).ConfigureAwait(false);
                    return;
                }
            }

            await next(http).ConfigureAwait(false);
        });
    }

    // What every request goes through: key, limits, time, errors in the API's shape.
    private sealed partial class Door(ModelSource source, ServingMeters meters, Gatekeeper gatekeeper, ServingLimits limits, ILogger log)
    {
        /// <param name="handle">What to do.</param>
        /// <param name="counts">Whether the request counts against the limits of its key; looking at gauges does not.</param>
        public RequestDelegate Open(Func<HttpContext, RequestScope, Task> handle, bool counts = true) => async http =>
        {
            using var time = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            time.CancelAfter(limits.MostTime);
            RequestScope? scope = null;
            IDisposable? pass = null;
            try
            {
                if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = limits.MostBodyBytes;
                (var key, pass) = counts ? gatekeeper.Enter(http.Request) : (gatekeeper.Identify(http.Request), null);
                scope = new RequestScope(source, meters, key, limits, time.Token);
                if (source.IsStopping) throw new Inference.Batching.EngineBusyException("The server is stopping and takes no more requests.");
                await handle(http, scope).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                await ComplainAsync(http, scope, e, time.IsCancellationRequested).ConfigureAwait(false);
            }
            finally
            {
                pass?.Dispose();
            }
        };

        private async Task ComplainAsync(HttpContext http, RequestScope? scope, Exception e, bool over)
        {
            if (Errors.Of(e, http.RequestAborted.IsCancellationRequested, over) is not { } error) return;
            meters.Refused(error.Status);
            if (error.Status == 500) LogFailure(e, http.Request.Path);
            try
            {
                if (!http.Response.HasStarted)
                {
                    await Errors.WriteAsync(http, error.Status, error.Body).ConfigureAwait(false);
                }
                else if (scope?.Stream is { } stream)
                {
                    // What was streamed stands; the error is the last event.
                    stream.Write(error.Body, WireJson.Default.ErrorBody);
                    await stream.FlushAsync(http.RequestAborted).ConfigureAwait(false);
                }
                else
                {
                    http.Abort();
                }
            }
            catch (Exception late) when (late is OperationCanceledException or IOException)
            {
                // Nobody is there to be told.
            }
        }

        [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "{Path} failed")]
        private partial void LogFailure(Exception exception, string path);
    }
}
