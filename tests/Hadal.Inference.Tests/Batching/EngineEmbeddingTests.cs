using Hadal.Inference.Batching;
using Hadal.Inference.Generation;
using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Model.Tokenization;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Batching;

public sealed class EngineEmbeddingTests : IDisposable
{
    private readonly TinyModel _tiny = TinyModel.Random();
    private readonly CpuBackend _backend = new(2);
    private readonly Tokenizer _tokenizer = ByteTokenizer.Create();
    private readonly InferenceModel _model;

    public EngineEmbeddingTests() => _model = _tiny.Load(_backend);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _model.Dispose();
        _backend.Dispose();
        _tiny.Dispose();
    }

    // Of one token up to a whole context; some begin alike.
    private static int[][] Texts()
    {
        var random = new Random(3);
        int[] common = [.. Enumerable.Range(0, 150).Select(_ => random.Next(3, 259))];
        return [[20], [77, 20], common, .. Enumerable.Range(0, 12).Select(i => (int[])[.. common[..(i * 11)], .. common[..(1 + i)]])];
    }

    // Pooled hidden states of the model alone, in one piece.
    private float[] Alone(int[] text, Pooling pooling)
    {
        var trace = ModelTrace.Run(_model, text, new ModelTraceOptions { PieceTokens = 512 }, cancellation: Cancellation).Tensors["final_norm"];
        int width = trace.Columns;
        double[] sums = new double[width];
        for (int t = pooling == Pooling.Last ? text.Length - 1 : 0; t < text.Length; t++)
        {
            for (int i = 0; i < width; i++) sums[i] += trace.Values[t * width + i];
        }

        double length = Math.Sqrt(sums.Sum(s => s * s));
        return [.. sums.Select(s => (float)(s / length))];
    }

    public static TheoryData<string, EngineOptions> Engines => new()
    {
        { "plain", new EngineOptions { MostDrafts = 0, CacheTokens = 8192 } },
        { "drafts", new EngineOptions { MostDrafts = 3, CacheTokens = 8192 } },
        { "short steps", new EngineOptions { StepTokens = 16, MostDrafts = 2, CacheTokens = 8192 } },
        { "few pages", new EngineOptions { CacheTokens = 150, MostDrafts = 3, StepTokens = 32 } },
    };

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task A_vector_has_the_bits_of_the_models_own_hidden_states_whatever_else_is_computed(string name, EngineOptions options)
    {
        int[][] texts = Texts();
        EngineRequest[] prompts = [.. texts.Where(t => t.Length < 120).Select(t => new EngineRequest { PromptTokens = t, MaxTokens = 25, StopTokens = [] })];
        using var generator = new TextGenerator(_model, _tokenizer, new GeneratorOptions { ContextTokens = 150 });
        int[][] expected = [.. prompts.Select(p => generator.Generate(new GenerationRequest { PromptTokens = p.PromptTokens, MaxTokens = 25, StopTokens = [] }).Tokens.ToArray())];
        float[][] vectors = [.. texts.Select((t, i) => Alone(t, i % 2 == 0 ? Pooling.Mean : Pooling.Last))];
        await using var engine = new InferenceEngine(_model, _tokenizer, options with { ContextTokens = 150 });

        // Texts to be continued and texts to be embedded, in turn; the same prompts, so that the prefix index could mix them up.
        var generated = new List<EngineText>();
        var embedded = new List<Task<EmbeddingResult>>();
        for (int i = 0; i < texts.Length; i++)
        {
            embedded.Add(engine.EmbedAsync(new EmbeddingRequest { Tokens = texts[i], Pooling = i % 2 == 0 ? Pooling.Mean : Pooling.Last }, Cancellation));
            if (i < prompts.Length) generated.Add(engine.Submit(prompts[i]));
        }

        for (int i = 0; i < texts.Length; i++)
        {
            float[] vector = (await embedded[i].BoundedAsync()).Vector.ToArray();
            Assert.Equal(vectors[i], vector);
            Assert.Equal(1, vector.Sum(v => (double)v * v), 1e-6);
        }

        for (int i = 0; i < prompts.Length; i++) Assert.Equal(expected[i], (await generated[i].CompleteAsync(Cancellation).BoundedAsync()).Tokens);
        var statistics = engine.Statistics;
        Assert.Equal((0, 0, 0), (statistics.Running, statistics.Waiting, statistics.HeldPages));
        Assert.Equal(name.StartsWith("few", StringComparison.Ordinal), statistics.Preemptions > 0);
        Assert.Equal(expected.Sum(t => t.Length), statistics.GeneratedTokens);
    }

    [Fact]
    public async Task Texts_without_a_vector_are_refused_with_the_reason()
    {
        await using var engine = new InferenceEngine(_model, _tokenizer, new EngineOptions { ContextTokens = 50 });
        Assert.Equal(64, (await engine.EmbedAsync(new EmbeddingRequest { Tokens = [.. Enumerable.Repeat(20, 50)] }, Cancellation)).Vector.Length);
        var error = await RefusedAsync([.. Enumerable.Repeat(20, 51)]);
        Assert.Equal(GenerationFault.ContextLength, error.Fault);
        Assert.Contains("51 tokens", error.Message);
        Assert.Contains("no tokens", (await RefusedAsync([])).Message);
        Assert.Contains("Token 999 of the text", (await RefusedAsync([20, 999])).Message);

        Task<GenerationException> RefusedAsync(int[] tokens) =>
            Assert.ThrowsAsync<GenerationException>(() => engine.EmbedAsync(new EmbeddingRequest { Tokens = tokens }, Cancellation));
    }

    [Fact]
    public async Task A_text_that_is_given_up_frees_its_pages_and_an_engine_that_stops_says_so()
    {
        var engine = new InferenceEngine(_model, _tokenizer, new EngineOptions { StepTokens = 16, MostSequences = 2 });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<EmbeddingResult>[] given = [.. Enumerable.Range(0, 50).Select(i => engine.EmbedAsync(new EmbeddingRequest { Tokens = [.. Enumerable.Repeat(20 + i, 150)] }, stop.Token))];
        await stop.CancelAsync();
        foreach (var text in given) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => text.BoundedAsync());
        Assert.Equal((0, 0, 0), (engine.Statistics.Running, engine.Statistics.Waiting, engine.Statistics.HeldPages));

        given = [.. Enumerable.Range(0, 50).Select(i => engine.EmbedAsync(new EmbeddingRequest { Tokens = [.. Enumerable.Repeat(20 + i, 150)] }, Cancellation))];
        await engine.DisposeAsync();
        await Assert.ThrowsAsync<EngineBusyException>(() => Task.WhenAll(given).BoundedAsync());
    }

    [Fact]
    public async Task A_model_that_computes_nonsense_gives_no_vector()
    {
        foreach (float value in new[] { float.NaN, 0 })
        {
            using var tiny = TinyModel.Of(TinyModel.Config, spec => spec.Role == TensorRole.FinalNorm ? [.. Enumerable.Repeat(value, (int)spec.Count)] : null);
            using var model = tiny.Load(_backend);
            await using var engine = new InferenceEngine(model, _tokenizer);
            var error = await Assert.ThrowsAsync<GenerationException>(() => engine.EmbedAsync(new EmbeddingRequest { Tokens = [20, 30] }, Cancellation));
            Assert.Equal(GenerationFault.Computation, error.Fault);
            Assert.Contains(value == 0 ? "all zero" : "not finite", error.Message);
            Assert.Equal(0, engine.Statistics.HeldPages);
        }
    }
}
