using Hadal.Inference.Batching;
using Hadal.Inference.Constraints;
using Hadal.Inference.Sampling;
using Hadal.Inference.Weights;
using Hadal.Model.Chat;
using Hadal.Model.Tokenization;
using Hadal.Numerics;

namespace Hadal.Serving.Answering;

/// <summary>A model that answers: its engine, and what makes prompts of conversations and answers of tokens. Thread-safe.</summary>
public sealed class ServedModel : IAsyncDisposable
{
    private readonly IDisposable? _owned;
    private readonly Lazy<ConstraintVocabulary> _vocabulary;

    /// <summary>Begins to serve a model.</summary>
    /// <param name="name">What requests call it.</param>
    /// <param name="model">The model; has to outlive this unless <paramref name="owned"/> holds it.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="options">How the engine works; null for the defaults.</param>
    /// <param name="template">The chat template; null for the one that the tokenizer's settings ask for, if it is known.</param>
    /// <param name="owned">Disposed with this, after the engine; or null.</param>
    public ServedModel(
        string name, InferenceModel model, Tokenizer tokenizer, EngineOptions? options = null, ChatTemplate? template = null, IDisposable? owned = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        (Name, Tokenizer, _owned) = (name, tokenizer, owned);
        Engine = new InferenceEngine(model, tokenizer, options);
        Template = template ?? ChatTemplate.Recognize(tokenizer.Settings);
        Defaults = GenerationDefaults.Of(model.Folder);
        _vocabulary = new Lazy<ConstraintVocabulary>(() => ConstraintVocabulary.Build(tokenizer));
    }

    /// <summary>What requests call it.</summary>
    public string Name { get; }

    /// <summary>Generates.</summary>
    public InferenceEngine Engine { get; }

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The chat template; null for a model that completes text only.</summary>
    public ChatTemplate? Template { get; }

    /// <summary>Used where a request says nothing.</summary>
    public GenerationDefaults Defaults { get; }

    /// <summary>When it began to serve.</summary>
    public DateTimeOffset Since { get; } = DateTimeOffset.UtcNow;

    /// <summary>The tokenizer's tokens, arranged for constraints; built when it is first asked for.</summary>
    internal ConstraintVocabulary Vocabulary => _vocabulary.Value;

    /// <summary>Loads a model and begins to serve it.</summary>
    /// <param name="path">A Hugging Face folder or a GGUF file.</param>
    /// <param name="name">What requests call it; null for the name of the folder.</param>
    /// <param name="threads">Threads that compute; 0 for one per processor.</param>
    /// <param name="load">How weights are loaded; null for the defaults.</param>
    /// <param name="engine">How the engine works; null for the defaults.</param>
    /// <param name="template">The name of a known chat template; null for the model's own.</param>
    /// <param name="cancellation">Stops the loading.</param>
    /// <returns>The model, which owns everything that was loaded.</returns>
    public static ServedModel Load(
        string path,
        string? name = null,
        int threads = 0,
        LoadOptions? load = null,
        EngineOptions? engine = null,
        string? template = null,
        CancellationToken cancellation = default)
    {
        var tokenizer = Tokenizer.Load(path);
        var backend = new CpuBackend(threads);
        InferenceModel? model = null;
        try
        {
            model = InferenceModel.Load(path, backend, load, cancellation: cancellation);
            return new ServedModel(name ?? NameOf(path), model, tokenizer, engine, template is null ? null : ChatTemplate.Named(template), new Owned(model, backend));
        }
        catch
        {
            model?.Dispose();
            backend.Dispose();
            throw;
        }
    }

    /// <summary>The name of a folder or file, without where it lies and without an ending.</summary>
    /// <param name="path">The path.</param>
    /// <returns>The name.</returns>
    public static string NameOf(string path)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        return name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? name[..^5] : name;
    }

    /// <summary>Generates a few tokens, so that the first request meets no cold code and no cold weights.</summary>
    /// <param name="cancellation">Stops.</param>
    /// <returns>When that is done.</returns>
    public async Task WarmAsync(CancellationToken cancellation = default)
    {
        int token = Tokenizer.BosId ?? Enumerable.Range(0, Tokenizer.VocabularySize).First(Tokenizer.HasToken);
        var sampled = new SamplingOptions { Temperature = 1, TopP = 0.9, Seed = 1 };

        // Alone, then several at once: a row, several rows, a prompt over more than a page.
        await Engine.Submit(Request(16, SamplingOptions.Greedy)).CompleteAsync(cancellation).ConfigureAwait(false);
        EngineText[] texts = [Engine.Submit(Request(3, sampled)), Engine.Submit(Request(40, sampled)), Engine.Submit(Request(100, sampled))];
        foreach (var text in texts) await text.CompleteAsync(cancellation).ConfigureAwait(false);

        EngineRequest Request(int length, SamplingOptions sampling) => new()
        {
            PromptTokens = [.. Enumerable.Repeat(token, Math.Clamp(length, 1, Engine.ContextTokens - 1))],
            MaxTokens = 8,
            StopTokens = [],
            PrefixScope = "(warm)",
            Sampling = sampling,
        };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync().ConfigureAwait(false);
        _owned?.Dispose();
    }

    private sealed class Owned(InferenceModel model, CpuBackend backend) : IDisposable
    {
        public void Dispose()
        {
            model.Dispose();
            backend.Dispose();
        }
    }
}
