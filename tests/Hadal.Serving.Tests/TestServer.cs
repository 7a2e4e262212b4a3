using System.Net.Http.Json;
using System.Text.Json;
using Hadal.Serving.Answering;
using Hadal.Serving.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hadal.Serving.Tests;

/// <summary>An application with a model, on a free port of this machine's loopback address.</summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly ChatModel? _model;

    private TestServer(WebApplication application, ChatModel? model, string url)
    {
        (Application, _model, Url) = (application, model, url);

        // A response that is disposed early hangs up at once, instead of reading on for a while to use the connection again.
        Client = new HttpClient(new SocketsHttpHandler { MaxResponseDrainSize = 0 }) { BaseAddress = new Uri(url), Timeout = TimeSpan.FromSeconds(60) };
    }

    public WebApplication Application { get; }

    public string Url { get; }

    public HttpClient Client { get; }

    public ServedModel Model => Application.Services.GetRequiredService<ModelSource>().Loaded.Result;

    /// <summary>Starts one and waits until it is ready.</summary>
    public static async Task<TestServer> StartAsync(Action<HadalOptions>? configure = null, string template = "deepseek-v3", int context = 4096, bool endless = false)
    {
        var model = endless ? ChatModel.Endless(context) : ChatModel.Random(context);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        builder.Services.AddHadal(options =>
        {
            (options.Model, options.Name, options.Template, options.Threads) = (model.Folder, "tiny", template, 1);
            configure?.Invoke(options);
        });
        var application = builder.Build();
        application.MapHadal();
        await application.StartAsync();
        string url = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var server = new TestServer(application, model, url);
        var source = application.Services.GetRequiredService<ModelSource>();
        await source.Loaded.BoundedAsync();
        await Patience.UntilAsync(() => source.IsReady);
        return server;
    }

    /// <summary>Waits until the engine has nothing to do and texts hold no pages.</summary>
    public Task IdleAsync() => Patience.UntilAsync(() => Model.Engine.Statistics is { Running: 0, Waiting: 0, HeldPages: 0 }, () => Model.Engine.Statistics);

    /// <summary>Posts a body and reads the answer.</summary>
    public async Task<(int Status, JsonElement Body)> PostAsync(string path, object body)
    {
        using var response = await Client.PostAsJsonAsync(path, body);
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Application.StopAsync().BoundedAsync();
        await Application.DisposeAsync();
        _model?.Dispose();
    }
}
