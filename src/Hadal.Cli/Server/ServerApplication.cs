using System.Net;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;
using Hadal.Serving.Hosting;
using Hadal.Serving.Monitoring;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Hadal.Cli.Server;

/// <summary>The web application of <c>hadal serve</c>: the library's endpoints, metrics, traces, logs, and a door that only opens where it was told to.</summary>
internal static class ServerApplication
{
    /// <summary>Puts the application together.</summary>
    /// <param name="options">What is served.</param>
    /// <param name="address">Where to listen.</param>
    /// <param name="port">The port; 0 for any that is free.</param>
    /// <param name="origins">Sites whose pages may ask from a browser.</param>
    /// <param name="context">Where log lines go: standard error.</param>
    public static WebApplication Build(Action<HadalOptions> options, IPAddress address, int port, IReadOnlyList<string> origins, CommandContext context)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
            console.ColorBehavior = context.Streams is { ErrorIsTerminal: true, Colors: true } ? LoggerColorBehavior.Enabled : LoggerColorBehavior.Disabled;
        });
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        // What keeps the program from starting, the command says itself, in a sentence.
        builder.Logging.AddFilter((category, level) => level >= LogLevel.Information && category switch
        {
            { } c when c.StartsWith("Hadal.Serving.Hosting.ModelLoading", StringComparison.Ordinal) => level < LogLevel.Error,
            { } c when c.StartsWith("Microsoft.Extensions.Hosting", StringComparison.Ordinal) => false,
            { } c when c.StartsWith("Microsoft", StringComparison.Ordinal) => level >= LogLevel.Warning,
            _ => true,
        });
        builder.Services.AddSingleton<IHostLifetime, CommandLifetime>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 4096;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            kestrel.Listen(address, port);
        });
        builder.Services.AddHadal(options);
        builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("hadal")).WithMetrics(metrics => metrics.AddMeter(ServingMeters.Name).AddPrometheusExporter());
        if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 })
        {
            builder.Services.AddOpenTelemetry()
                .WithTracing(traces => traces.AddSource(ServingMeters.Name).AddOtlpExporter())
                .WithMetrics(metrics => metrics.AddOtlpExporter());
        }

        if (IPAddress.IsLoopback(address)) builder.Services.AddHostFiltering(filter => filter.AllowedHosts = ["localhost", "127.0.0.1", "[::1]"]);
        if (origins.Count > 0) builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins([.. origins]).AllowAnyHeader().WithMethods("GET", "POST")));
        var application = builder.Build();

        // A page of another site must not reach a server on this machine by a name of its own.
        if (IPAddress.IsLoopback(address)) application.UseHostFiltering();
        if (origins.Count > 0) application.UseCors();
        application.UseHadalKeys("/metrics");
        application.MapHadal();
        application.MapPrometheusScrapingEndpoint("/metrics");
        return application;
    }

    /// <summary>Begins to listen.</summary>
    /// <returns>The address, for instance http://127.0.0.1:8080.</returns>
    public static async Task<string> StartAsync(WebApplication application, int port, CancellationToken cancellation)
    {
        try
        {
            await application.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new MistakeException($"Port {port} cannot be listened on: {(e.InnerException ?? e).Message.TrimEnd('.')}; choose another with --port", e);
        }

        return application.Urls.First();
    }

    // Signals are the command's to catch.
    private sealed class CommandLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
