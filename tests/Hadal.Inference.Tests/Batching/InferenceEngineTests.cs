using System.Text.Json;
using Hadal.Inference.Batching;
using Hadal.Inference.Constraints;
using Hadal.Inference.Generation;
using Hadal.Inference.Sampling;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Model.Tokenization;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Batching;

public sealed class InferenceEngineTests : IDisposable
{
    private readonly TinyModel _tiny = TinyModel.Random();
    private readonly CpuBackend _backend = new(2);
    private readonly Tokenizer _tokenizer = ByteTokenizer.Create();
    private readonly InferenceModel _model;

    public InferenceEngineTests() => _model = _tiny.Load(_backend);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _model.Dispose();
        _backend.Dispose();
        _tiny.Dispose();
    }

    // Prompts of which some begin alike, shorter and longer than pages; greedy and sampled, with penalties; some with probabilities.
    private static EngineRequest[] Requests(int count, int longest)
    {
        var random = new Random(5);
        int[] common = [.. Enumerable.Range(0, longest).Select(_ => random.Next(3, 259))];
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            int[] prompt = [.. common[..random.Next(1, longest)], .. common[..(i % 3 == 0 ? 0 : random.Next(0, 10))]];
            return new EngineRequest
            {
                PromptTokens = i % 4 == 3 ? [.. prompt.Reverse()] : prompt,
                MaxTokens = 1 + i * 7 % 40,
                StopTokens = [],
                Probabilities = i % 5 == 0 ? 2 : null,
                Client = $"client {i % 3}",
                Priority = i % 7 == 0 ? 1 : 0,
                Sampling = (i % 3) switch
                {
                    0 => SamplingOptions.Greedy,
                    1 => new SamplingOptions { Temperature = 1.2, TopP = 0.9, Seed = (ulong)i, FrequencyPenalty = 0.5 },
                    _ => new SamplingOptions { Temperature = 0.7, TopK = 20, MinP = 0.01, Seed = (ulong)i, RepetitionPenalty = 1.1 },
                },
            };
        })];
    }

    private GenerationResult[] Alone(IEnumerable<EngineRequest> requests)
    {
        using var generator = new TextGenerator(_model, _tokenizer, new GeneratorOptions { ContextTokens = 150 });
        return [.. requests.Select(r => generator.Generate(new GenerationRequest
        {
            PromptTokens = r.PromptTokens,
            MaxTokens = r.MaxTokens,
            StopTokens = r.StopTokens,
            Sampling = r.Sampling,
        }))];
    }

    public static TheoryData<string, EngineOptions> Engines => new()
    {
        { "plain", new EngineOptions { MostDrafts = 0, CacheTokens = 8192 } },
        { "drafts", new EngineOptions { MostDrafts = 3, CacheTokens = 8192 } },
        { "short steps", new EngineOptions { StepTokens = 16, MostDrafts = 2, CacheTokens = 8192 } },
        { "few pages", new EngineOptions { CacheTokens = 150, MostDrafts = 0 } },
        { "few pages, drafts", new EngineOptions { CacheTokens = 150, MostDrafts = 3 } },
        { "two at once, nothing reused", new EngineOptions { MostSequences = 2, ReusePrefixes = false } },
    };

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task A_text_is_the_same_alone_and_among_others(string name, EngineOptions options)
    {
        var requests = Requests(30, 120);
        var expected = Alone(requests);
        await using var engine = new InferenceEngine(_model, _tokenizer, options with { ContextTokens = 150 });
        var texts = requests.Select(engine.Submit).ToList();
        var results = await Task.WhenAll(texts.Select(t => t.CompleteAsync(Cancellation))).BoundedAsync();
        for (int i = 0; i < requests.Length; i++)
        {
            Assert.Equal(expected[i].Tokens, results[i].Tokens);
            Assert.Equal(expected[i].Text, results[i].Text);
            Assert.Equal(expected[i].FinishReason, results[i].FinishReason);
        }

        var statistics = engine.Statistics;
        Assert.Equal((0, 0, 0), (statistics.Running, statistics.Waiting, statistics.HeldPages));
        Assert.Equal(requests.Length > 0 && options.ReusePrefixes, statistics.ReusedPromptTokens > 0);
        Assert.Equal(options.MostDrafts != 0, statistics.ProposedDrafts > 0);
        Assert.Equal(name.StartsWith("few", StringComparison.Ordinal), statistics.Preemptions > 0);
        Assert.Equal(results.Sum(r => r.Tokens.Count), statistics.GeneratedTokens);
        Assert.Equal(expected.Sum(r => r.PromptTokens), statistics.ReusedPromptTokens + statistics.ComputedPromptTokens - Repeated(statistics));

        // What was computed again because its pages had gone counts again.
        long Repeated(EngineStatistics s) => s.Preemptions == 0 ? 0 : s.ReusedPromptTokens + s.ComputedPromptTokens - expected.Sum(r => r.PromptTokens);
    }

    [Fact]
    public async Task Requests_that_come_while_others_are_answered_get_the_same_texts()
    {
        var requests = Requests(40, 120);
        var expected = Alone(requests);
        await using var engine = new InferenceEngine(_model, _tokenizer, new EngineOptions { ContextTokens = 150, MostSequences = 5, MostDrafts = 2 });
        var random = new Random(1);
        var work = new List<Task>();
        for (int i = 0; i < requests.Length; i++)
        {
            int n = i;
            work.Add(Task.Run(
                async () =>
                {
                    var text = engine.Submit(requests[n]);
                    if (n % 4 == 1)
                    {
                        // Some go away in between.
                        await foreach (var update in text.ReadAllAsync(Cancellation)) text.Cancel();
                        await text.Ended.BoundedAsync();
                        return;
                    }

                    Assert.Equal(expected[n].Tokens, (await text.CompleteAsync(Cancellation)).Tokens);
                },
                Cancellation));
            await Task.Delay(random.Next(0, 3), Cancellation);
        }

        await Task.WhenAll(work).BoundedAsync();
        Assert.Equal((0, 0, 0), (engine.Statistics.Running, engine.Statistics.Waiting, engine.Statistics.HeldPages));
    }

    [Fact]
    public async Task A_prompt_that_begins_like_another_is_computed_from_there_on_within_its_scope()
    {
        int[] prompt = [.. Enumerable.Range(0, 150).Select(i => 3 + i * 7 % 250)];
        var request = new EngineRequest { PromptTokens = prompt, MaxTokens = 5, StopTokens = [] };
        await using var engine = new InferenceEngine(_model, _tokenizer, new EngineOptions { MostDrafts = 1 });
        var first = await engine.Submit(request).CompleteAsync(Cancellation).BoundedAsync();
        var second = await engine.Submit(request).CompleteAsync(Cancellation).BoundedAsync();
        Assert.Equal(0, first.ReusedPromptTokens);
        Assert.Equal(128, second.ReusedPromptTokens);
        Assert.Equal(first.Tokens, second.Tokens);

        // The token behind a page belongs to it.
        prompt[128]++;
        Assert.Equal(64, (await engine.Submit(request with { PromptTokens = [.. prompt] }).CompleteAsync(Cancellation)).ReusedPromptTokens);
        prompt[0]++;
        Assert.Equal(0, (await engine.Submit(request with { PromptTokens = [.. prompt] }).CompleteAsync(Cancellation)).ReusedPromptTokens);
        Assert.Equal(0, (await engine.Submit(request with { PrefixScope = "another" }).CompleteAsync(Cancellation)).ReusedPromptTokens);
        Assert.True(engine.Statistics.KeptPages > 0);
    }

    [Fact]
    public async Task Requests_with_the_same_prompt_at_once_compute_it_once()
    {
        int[] prompt = [.. Enumerable.Range(0, 150).Select(i => 3 + i * 3 % 250)];
        await using var engine = new InferenceEngine(_model, _tokenizer, new EngineOptions { StepTokens = 32 });
        var texts = Enumerable.Range(0, 6).Select(i => engine.Submit(new EngineRequest { PromptTokens = prompt, MaxTokens = 3, StopTokens = [] })).ToList();
        var results = await Task.WhenAll(texts.Select(t => t.CompleteAsync(Cancellation))).BoundedAsync();
        Assert.Single(results, r => r.ReusedPromptTokens == 0);
        Assert.Equal(150 + 5 * 22, engine.Statistics.ComputedPromptTokens);
    }

    [Fact]
    public async Task Probabilities_are_those_of_the_softmax_and_the_greedy_token_has_the_largest()
    {
        await using var engine = new InferenceEngine(_model, _tokenizer);
        var request = new EngineRequest { PromptTokens = [20, 30, 40], MaxTokens = 8, StopTokens = [], Probabilities = 20 };
        int tokens = 0;
        await foreach (var update in engine.Submit(request).ReadAllAsync(Cancellation))
        {
            Assert.Equal(update.Tokens, update.Scores!.Select(s => s.Token));
            foreach (var score in update.Scores!)
            {
                Assert.Equal(20, score.Alternatives.Count);
                Assert.Equal((score.Token, score.LogProbability), score.Alternatives[0]);
                Assert.Equal(score.Alternatives.OrderByDescending(a => a.LogProbability), score.Alternatives);
                Assert.InRange(score.Alternatives.Sum(a => Math.Exp(a.LogProbability)), 0.1, 1.00001);
                tokens++;
            }
        }

        Assert.Equal(8, tokens);
    }

    [Fact]
    public async Task A_cancelled_text_ends_with_what_there_is_and_frees_its_pages()
    {
        await using var engine = new InferenceEngine(_model, _tokenizer);
        var text = engine.Submit(new EngineRequest { PromptTokens = [20, 30, 40], StopTokens = [] });
        GenerationResult? result = null;
        int tokens = 0;
        await foreach (var update in text.ReadAllAsync(Cancellation))
        {
            tokens += update.Tokens.Count;
            result = update.Result;
            if (tokens >= 3) text.Cancel();
        }

        await text.Ended.BoundedAsync();
        Assert.Equal(FinishReason.Cancelled, result!.FinishReason);
        Assert.Equal(tokens, result.Tokens.Count);
        Assert.Equal(0, engine.Statistics.HeldPages);
    }

    [Fact]
    public async Task Refused_requests_say_why()
    {
        await using var engine = new InferenceEngine(_model, _tokenizer, new EngineOptions { ContextTokens = 50, MostSequences = 1, MostWaiting = 1 });
        Assert.Contains("has no tokens", Refusal(new EngineRequest { PromptTokens = [] }));
        Assert.Contains("50 tokens and the context 50", Refusal(new EngineRequest { PromptTokens = new int[50] }, GenerationFault.ContextLength));
        Assert.Contains("Token 999 of the prompt", Refusal(new EngineRequest { PromptTokens = [999] }));
        Assert.Contains("0 tokens", Refusal(new EngineRequest { PromptTokens = [20], MaxTokens = 0 }));
        Assert.Contains("temperature", Refusal(new EngineRequest { PromptTokens = [20], Sampling = new SamplingOptions { Temperature = -1 } }));
        Assert.Contains("logit bias", Refusal(new EngineRequest { PromptTokens = [20], Sampling = new SamplingOptions { LogitBias = new Dictionary<int, double> { [500] = 1 } } }));
        var texts = new List<EngineText>();
        var busy = Assert.Throws<EngineBusyException>(() =>
        {
            for (int i = 0; i < 10; i++) texts.Add(engine.Submit(new EngineRequest { PromptTokens = [20], StopTokens = [] }));
        });
        Assert.Contains("try again later", busy.Message);
        foreach (var text in texts) await text.DisposeAsync();

        string Refusal(EngineRequest request, GenerationFault fault = GenerationFault.Request)
        {
            var error = Assert.Throws<GenerationException>(() => engine.Submit(request));
            Assert.Equal(fault, error.Fault);
            return error.Message;
        }
    }

    [Fact]
    public async Task An_engine_that_drains_ends_what_is_there_and_one_that_stops_says_so()
    {
        var engine = new InferenceEngine(_model, _tokenizer);
        var text = engine.Submit(new EngineRequest { PromptTokens = [20], MaxTokens = 20, StopTokens = [] });
        var draining = engine.DrainAsync(Cancellation);
        Assert.Throws<EngineBusyException>(() => engine.Submit(new EngineRequest { PromptTokens = [20] }));
        await draining.BoundedAsync();
        Assert.Equal(20, (await text.CompleteAsync(Cancellation)).Tokens.Count);
        await engine.DisposeAsync();

        engine = new InferenceEngine(_model, _tokenizer);
        text = engine.Submit(new EngineRequest { PromptTokens = [20], StopTokens = [] });
        await engine.DisposeAsync();
        await Assert.ThrowsAsync<EngineBusyException>(() => text.CompleteAsync(Cancellation));
        Assert.Throws<EngineBusyException>(() => engine.Submit(new EngineRequest { PromptTokens = [20] }));
    }

    [Fact]
    public async Task A_bias_decides_and_expert_choices_are_counted()
    {
        await using var engine = new InferenceEngine(_model, _tokenizer);
        var request = new EngineRequest
        {
            PromptTokens = [20],
            MaxTokens = 10,
            StopTokens = [],
            CountExperts = true,
            Sampling = new SamplingOptions { LogitBias = new Dictionary<int, double> { [77] = 1000 } },
        };
        var text = engine.Submit(request);
        Assert.All((await text.CompleteAsync(Cancellation)).Tokens, t => Assert.Equal(77, t));

        // Two experts for each computed token in the one layer that has experts; drafts that fell count too.
        Assert.True(text.ExpertCounts!.Sum() >= 2 * 10);
        Assert.Equal(0, text.ExpertCounts!.Take(4).Sum());
        Assert.Equal(text.ExpertCounts!.Select(c => (long)c), engine.Statistics.ExpertCounts);
        Assert.True(engine.Statistics.ExpertImbalance > 0);
    }

    [Fact]
    public async Task A_grammar_gives_the_same_text_with_and_without_drafts_and_is_kept_through_preemption()
    {
        var vocabulary = ConstraintVocabulary.Build(_tokenizer);
        var grammar = TokenGrammar.JsonSchema(vocabulary, """{"type":"object","properties":{"a":{"type":"array","items":{"enum":["one","two"]},"minItems":2,"maxItems":4},"b":{"type":"string","maxLength":8}},"required":["a","b"],"additionalProperties":false}""");
        EngineRequest[] requests = [.. Enumerable.Range(0, 12).Select(i => new EngineRequest
        {
            PromptTokens = [.. Enumerable.Range(0, 3 + 5 * i).Select(j => 3 + (i + 7 * j) % 250)],
            Grammar = grammar,
            Sampling = i % 2 == 0 ? SamplingOptions.Greedy : new SamplingOptions { Temperature = 1, Seed = (ulong)i },
        })];
        List<string[]> texts = [];
        foreach (var options in new[] { new EngineOptions { MostDrafts = 0, MostSequences = 1 }, new EngineOptions { MostDrafts = 3 }, new EngineOptions { MostDrafts = 2, ContextTokens = 190, CacheTokens = 190 } })
        {
            await using var engine = new InferenceEngine(_model, _tokenizer, options);
            var work = requests.Select(engine.Submit).ToList();
            texts.Add([.. (await Task.WhenAll(work.Select(t => t.CompleteAsync(Cancellation))).BoundedAsync()).Select(r => r.Text)]);
        }

        Assert.Equal(texts[0], texts[1]);
        Assert.Equal(texts[0], texts[2]);
        Assert.All(texts[0], t => Assert.InRange(JsonDocument.Parse(t).RootElement.GetProperty("a").GetArrayLength(), 2, 4));
    }

    [Fact]
    public async Task Ends_that_the_tokenizer_has_not_do_no_harm_to_a_grammar()
    {
        var grammar = TokenGrammar.JsonSchema(ConstraintVocabulary.Build(_tokenizer), """{"type":"integer"}""");
        await using var engine = new InferenceEngine(_model, _tokenizer);
        var text = engine.Submit(new EngineRequest { PromptTokens = [20], Grammar = grammar, MaxTokens = 12, StopTokens = [1, 9999, -1] });
        Assert.Equal(JsonValueKind.Number, JsonDocument.Parse((await text.CompleteAsync(Cancellation).BoundedAsync()).Text).RootElement.ValueKind);
    }

    [Fact]
    public async Task A_model_that_computes_nonsense_fails_the_text_and_not_the_engine()
    {
        using var tiny = TinyModel.Of(TinyModel.Config, spec => spec.Role == TensorRole.FinalNorm ? [.. Enumerable.Repeat(float.NaN, (int)spec.Count)] : null);
        using var model = tiny.Load(_backend);
        await using var engine = new InferenceEngine(model, _tokenizer);
        for (int i = 0; i < 3; i++)
        {
            var text = engine.Submit(new EngineRequest { PromptTokens = [20, 30], MaxTokens = 3 });
            var error = await Assert.ThrowsAsync<GenerationException>(() => text.CompleteAsync(Cancellation));
            Assert.Contains("not finite", error.Message);
            Assert.Equal(GenerationFault.Computation, error.Fault);
            await text.Ended.BoundedAsync();
            Assert.Equal(0, engine.Statistics.HeldPages);
        }
    }

    // Requests come from many threads while others end on the engine's.
    [Fact]
    public async Task Every_request_that_has_come_and_gone_is_counted_out_again()
    {
        await using var engine = new InferenceEngine(_model, _tokenizer, new EngineOptions { MostDrafts = 0 });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(
            async () =>
            {
                var request = new EngineRequest { PromptTokens = [20 + thread], MaxTokens = 1, StopTokens = [] };
                for (int i = 0; i < 50; i++)
                {
                    var texts = Enumerable.Range(0, 100).Select(_ => engine.Submit(request)).ToList();
                    foreach (var text in texts) await text.CompleteAsync(Cancellation).BoundedAsync();
                }
            },
            Cancellation)));
        await engine.DrainAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        Assert.Equal((0, 0, 0), (engine.Statistics.Running, engine.Statistics.Waiting, engine.Statistics.HeldPages));
    }
}
