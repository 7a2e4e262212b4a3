using System.Diagnostics.Metrics;
using Hadal.Serving.Chat;
using Hadal.Serving.Embeddings;
using Hadal.Serving.Monitoring;
using Hadal.Serving.Security;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hadal.Serving.Hosting;

/// <summary>Puts a model into an application.</summary>
public static class HadalServices
{
    // How soon a changed file of keys is taken up.
    private static readonly TimeSpan _keyInterval = TimeSpan.FromSeconds(1);

    /// <summary>Loads a model when the application starts, and offers it to <c>MapHadal()</c>, as an <c>IChatClient</c>, and with
    /// <see cref="HadalOptions.Embeddings"/> as an <c>IEmbeddingGenerator</c>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Says which model, and how.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddHadal(this IServiceCollection services, Action<HadalOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<HadalOptions>().Configure(configure).ValidateOnStart();
        services.AddSingleton<IValidateOptions<HadalOptions>, HadalOptionsCheck>();
        services.AddMetrics();
        services.AddSingleton(s => new ModelSource([.. Options(s).Aliases]));
        services.AddSingleton(s => new ServingMeters(s.GetRequiredService<ModelSource>(), s.GetService<IMeterFactory>()));
        services.AddSingleton(s => new Gatekeeper(Options(s).ApiKeyFile is { } file ? new ApiKeyWatch(file, s.GetRequiredService<ILogger<ApiKeyWatch>>(), _keyInterval) : null));
        services.AddSingleton<IChatClient>(s => new HadalChatClient(s.GetRequiredService<ModelSource>(), Options(s).Limits, s.GetRequiredService<ServingMeters>()));
        services.AddSingleton<IEmbeddingGenerator<string, Embedding<float>>>(s => new HadalEmbeddingGenerator(
            s.GetRequiredService<ModelSource>(),
            Options(s).Embeddings ?? throw new InvalidOperationException("HadalOptions.Embeddings is not set, so the model gives no embeddings; it can be Mean or Last."),
            Options(s).Limits,
            s.GetRequiredService<ServingMeters>()));
        services.AddHostedService<ModelLoading>();

        // Texts in work are given their time to end before the host loses its patience.
        services.AddOptions<HostOptions>().Configure<IOptions<HadalOptions>>((host, hadal) =>
        {
            var needed = hadal.Value.DrainTime + TimeSpan.FromSeconds(10);
            if (host.ShutdownTimeout < needed) host.ShutdownTimeout = needed;
        });
        return services;

        static HadalOptions Options(IServiceProvider services) => services.GetRequiredService<IOptions<HadalOptions>>().Value;
    }
}
