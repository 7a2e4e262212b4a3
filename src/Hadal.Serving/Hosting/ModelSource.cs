using Hadal.Inference.Batching;
using Hadal.Serving.Answering;
using Hadal.Serving.OpenAI;

namespace Hadal.Serving.Hosting;

/// <summary>The model that is served: not there yet, there, or failed to load.</summary>
public sealed class ModelSource
{
    private readonly TaskCompletionSource<ServedModel> _model = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal ModelSource(IReadOnlyList<string> aliases) => Aliases = aliases;

    /// <summary>The model, once it is loaded and warm.</summary>
    public Task<ServedModel> Loaded => _model.Task;

    /// <summary>Whether requests are answered: the model is loaded and warm, and the application is not stopping.</summary>
    public bool IsReady => _model.Task.IsCompletedSuccessfully && !IsStopping;

    /// <summary>Whether no more requests are taken.</summary>
    public bool IsStopping { get; internal set; }

    /// <summary>Further names of the model.</summary>
    internal IReadOnlyList<string> Aliases { get; }

    /// <summary>The model.</summary>
    /// <exception cref="RequestException">It is not loaded yet.</exception>
    internal ServedModel Current => _model.Task switch
    {
        { IsCompletedSuccessfully: true } => _model.Task.Result,
        { IsFaulted: true } => throw new RequestException("The model could not be loaded; the server's log says why.", code: "model_failed", status: 503),
        _ => throw new RequestException("The model is being loaded; try again in a moment.", code: "model_loading", status: 503),
    };

    /// <summary>The model that a request names.</summary>
    /// <exception cref="RequestException">There is no model of that name, or it is not loaded yet.</exception>
    internal ServedModel Named(string? name)
    {
        var model = Current;
        if (name is null || name == model.Name || Aliases.Contains(name)) return model;
        throw new RequestException($"There is no model {RequestReading.Quote(name)} here; this server has {RequestReading.Quote(model.Name)}.", "model", "model_not_found", 404);
    }

    /// <summary>What clients of the abstractions offer of a loaded model: itself and its engine.</summary>
    /// <returns>The service; null if there is no such one.</returns>
    internal object? Service(Type type)
    {
        if (!_model.Task.IsCompletedSuccessfully) return null;
        return type == typeof(ServedModel) ? _model.Task.Result : type == typeof(InferenceEngine) ? _model.Task.Result.Engine : null;
    }

    internal void Set(ServedModel model) => _model.TrySetResult(model);

    internal void Fail(Exception error)
    {
        _model.TrySetException(error);

        // Whoever waits hears of it; if nobody does, that is no second error.
        _ = _model.Task.Exception;
    }
}
