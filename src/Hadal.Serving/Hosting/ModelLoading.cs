using Hadal.Serving.Answering;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hadal.Serving.Hosting;

/// <summary>Loads and warms the model while the application is up already; drains and releases it at the end.</summary>
internal sealed partial class ModelLoading(
    ModelSource source, IOptions<HadalOptions> options, IHostApplicationLifetime lifetime, ILogger<ModelLoading> log) : BackgroundService
{
    private readonly HadalOptions _options = options.Value;
    private Task _draining = Task.CompletedTask;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // The web server waits for its requests before this service is told to stop, so draining begins with the news.
        lifetime.ApplicationStopping.Register(() => _draining = DrainAsync());
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await _draining.ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        ServedModel? model = null;
        try
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            model = await Task.Run(
                () => ServedModel.Load(_options.Model, _options.Name, _options.Threads, _options.Load, _options.Engine, _options.Template, stoppingToken),
                stoppingToken).ConfigureAwait(false);

            // A model that cannot generate a first token has not been loaded.
            await model.WarmAsync(stoppingToken).ConfigureAwait(false);
            double seconds = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds;
            string template = model.Template?.Name ?? "none";
            LogReady(model.Name, seconds, model.Engine.ContextTokens, model.Engine.CacheTokens, template);
            source.Set(model);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            source.Fail(new OperationCanceledException("The application stopped before the model was loaded."));
            if (model is not null) await model.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            LogFailed(_options.Model, e.Message);
            source.Fail(e);
            if (model is not null) await model.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task DrainAsync()
    {
        source.IsStopping = true;
        if (!source.Loaded.IsCompletedSuccessfully) return;
        var model = await source.Loaded.ConfigureAwait(false);
        int running = model.Engine.Statistics.Running + model.Engine.Statistics.Waiting;
        if (running > 0) LogDraining(running, _options.DrainTime.TotalSeconds);
        using var patience = new CancellationTokenSource(_options.DrainTime);
        try
        {
            await model.Engine.DrainAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            LogCutOff(model.Engine.Statistics.Running + model.Engine.Statistics.Waiting);
        }

        await model.DisposeAsync().ConfigureAwait(false);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{Model} is ready after {Seconds:F1} s: context {Context} tokens, cache {Cache} tokens, chat template {Template}")]
    private partial void LogReady(string model, double seconds, int context, int cache, string template);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "{Model} cannot be served: {Reason}")]
    private partial void LogFailed(string model, string reason);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "stopping; {Count} answers in work have {Seconds:F0} s to end")]
    private partial void LogDraining(int count, double seconds);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "{Count} answers were cut off")]
    private partial void LogCutOff(int count);
}
