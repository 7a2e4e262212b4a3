using Hadal.Inference.Generation;
using Hadal.Inference.Sampling;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Model.Tokenization;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Generation;

/// <summary>A model that continues "abc" with "defghij…" (the next byte each time) makes every text predictable.</summary>
public sealed class TextGeneratorTests : IDisposable
{
    private readonly TinyModel _tiny = TinyModel.Successor();
    private readonly CpuBackend _backend = new(1);
    private readonly Tokenizer _tokenizer = ByteTokenizer.Create();
    private readonly InferenceModel _model;
    private readonly TextGenerator _generator;

    public TextGeneratorTests()
    {
        _model = _tiny.Load(_backend);
        _generator = new TextGenerator(_model, _tokenizer);
    }

    public void Dispose()
    {
        _generator.Dispose();
        _model.Dispose();
        _backend.Dispose();
        _tiny.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Text_goes_in_and_comes_out(int drafts)
    {
        var pieces = new List<string>();
        var result = Generate(new GenerationRequest { Prompt = "abc", MaxTokens = 10, Drafts = drafts }, pieces.Add);
        Assert.Equal("defghijklm", result.Text);
        Assert.Equal("defghijklm", string.Concat(pieces));
        Assert.Equal(10, pieces.Count);
        Assert.Equal("defghijklm".Select(c => c + ByteTokenizer.FirstByte), result.Tokens);
        Assert.Equal(3, result.PromptTokens);
        Assert.Equal(FinishReason.Length, result.FinishReason);
        Assert.True(result.TokensPerSecond > 0 && result.PrefillTokensPerSecond > 0);
        Assert.Equal(drafts == 0 ? null : 1.0, result.AcceptanceRate);
    }

    [Theory]
    [InlineData("h", "defg")]
    [InlineData("hij", "defg")]
    [InlineData("jk", "defghi")]
    [InlineData("hx", "defghijklm")]
    public void A_stop_string_ends_the_text_before_itself(string stop, string text)
    {
        foreach (int drafts in new[] { 0, 2 })
        {
            var pieces = new List<string>();
            var request = new GenerationRequest { Prompt = "abc", MaxTokens = 10, StopStrings = ["never", stop], Drafts = drafts };
            var result = Generate(request, pieces.Add);
            Assert.Equal(text, result.Text);
            Assert.Equal(text, string.Concat(pieces));
            Assert.Equal(text.Length == 10 ? FinishReason.Length : FinishReason.Stop, result.FinishReason);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void A_stop_token_ends_the_text_and_does_not_belong_to_it(int drafts)
    {
        var result = Generate(new GenerationRequest { Prompt = "abc", StopTokens = ['g' + ByteTokenizer.FirstByte], Drafts = drafts });
        Assert.Equal("def", result.Text);
        Assert.Equal(3, result.Tokens.Count);
        Assert.Equal(FinishReason.Stop, result.FinishReason);
    }

    [Fact]
    public void The_end_token_of_the_model_ends_the_text()
    {
        // Behind token 0 comes token 1, the end.
        var result = Generate(new GenerationRequest { PromptTokens = [9, 0] });
        Assert.Equal(("", 0, FinishReason.Stop), (result.Text, result.Tokens.Count, result.FinishReason));
        Assert.Equal("<end>", Generate(new GenerationRequest { PromptTokens = [9, 0], StopTokens = [], MaxTokens = 1, SkipSpecialTokens = false }).Text);
    }

    [Fact]
    public void Characters_of_several_bytes_come_out_whole()
    {
        // The successor of bytes C3 is C4: "Ã" is cut after its first byte, so it is made up of a prompt's byte and nothing else can complete it.
        var result = Generate(new GenerationRequest { PromptTokens = [0xC2 + ByteTokenizer.FirstByte], MaxTokens = 2 });
        Assert.Equal("\uFFFD\uFFFD", result.Text);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void A_full_context_ends_the_text(int drafts)
    {
        using var generator = new TextGenerator(_model, _tokenizer, new GeneratorOptions { ContextTokens = 8 });
        var result = generator.Generate(new GenerationRequest { Prompt = "abc", Drafts = drafts }, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(("defgh", FinishReason.Length), (result.Text, result.FinishReason));
        result = generator.Generate(new GenerationRequest { Prompt = "abcdefgh", Drafts = drafts }, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(("", FinishReason.Length), (result.Text, result.FinishReason));
    }

    [Fact]
    public void A_text_may_fill_the_models_whole_context()
    {
        var result = Generate(new GenerationRequest { Prompt = new string('a', 190), MaxTokens = 1000, Drafts = 3 });
        Assert.Equal(("bcdefghijk", FinishReason.Length), (result.Text, result.FinishReason));
    }

    [Fact]
    public void A_prompt_longer_than_the_context_is_an_error_with_both_numbers()
    {
        var error = Assert.Throws<GenerationException>(() => Generate(new GenerationRequest { Prompt = new string('a', 201) }));
        Assert.Contains("201 tokens", error.Message, StringComparison.Ordinal);
        Assert.Contains("200 (max_position_embeddings)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_are_clear_errors()
    {
        AssertError("no tokens", () => Generate(new GenerationRequest()));
        AssertError("-1 tokens", () => Generate(new GenerationRequest { Prompt = "a", MaxTokens = -1 }));
        AssertError("Token 272", () => Generate(new GenerationRequest { PromptTokens = [272] }));
        AssertError("top-p", () => Generate(new GenerationRequest { Prompt = "a", Sampling = new SamplingOptions { TopP = 2 } }));
        Assert.Throws<GenerationException>(() => new TextGenerator(_model, _tokenizer, new GeneratorOptions { ContextTokens = 0 }));
        Assert.Throws<GenerationException>(() => new TextGenerator(_model, _tokenizer, new GeneratorOptions { PrefillTokens = 0 }));
        Assert.Equal("d", Generate(new GenerationRequest { Prompt = "abc", MaxTokens = 1 }).Text);
    }

    [Fact]
    public void A_tokenizer_with_more_tokens_than_the_model_is_refused()
    {
        using var tiny = TinyModel.Random(TinyModel.Config with { VocabularySize = 100 });
        using var model = tiny.Load(_backend);
        AssertError("do not belong together", () => new TextGenerator(model, _tokenizer));
    }

    [Fact]
    public void Weights_that_are_not_numbers_are_a_clear_error()
    {
        using var tiny = TinyModel.Of(TinyModel.Config, spec => spec.Role == TensorRole.FinalNorm ? [.. Enumerable.Repeat(float.NaN, 64)] : null);
        using var model = tiny.Load(_backend);
        using var generator = new TextGenerator(model, _tokenizer);
        AssertError("not finite", () => generator.Generate(new GenerationRequest { Prompt = "a" }, cancellation: TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void The_same_seed_gives_the_same_text_however_the_prompt_is_cut(int drafts)
    {
        using var tiny = TinyModel.Random();
        using var model = tiny.Load(_backend);
        using var whole = new TextGenerator(model, _tokenizer);
        using var pieces = new TextGenerator(model, _tokenizer, new GeneratorOptions { PrefillTokens = 3 });
        var request = new GenerationRequest
        {
            Prompt = "The same seed",
            MaxTokens = 40,
            Drafts = drafts,
            Sampling = new SamplingOptions { Temperature = 1, TopP = 0.95, Seed = 77 },
            StopTokens = [],
        };
        var first = whole.Generate(request, cancellation: TestContext.Current.CancellationToken);
        var second = pieces.Generate(request, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(first.Tokens, second.Tokens);
        Assert.Equal(77u, first.Seed);
        Assert.All(first.Tokens, token => Assert.True(_tokenizer.HasToken(token)));
        var other = whole.Generate(request with { Sampling = request.Sampling with { Seed = 78 } }, cancellation: TestContext.Current.CancellationToken);
        Assert.NotEqual(first.Tokens, other.Tokens);

        // An arbitrary seed is reported and gives the text once more.
        var arbitrary = whole.Generate(request with { Sampling = request.Sampling with { Seed = null } }, cancellation: TestContext.Current.CancellationToken);
        var once = request with { Sampling = request.Sampling with { Seed = arbitrary.Seed } };
        var again = whole.Generate(once, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(arbitrary.Tokens, again.Tokens);
    }

    [Fact]
    public void Cancelling_keeps_what_there_is()
    {
        using var stop = new CancellationTokenSource();
        int pieces = 0;
        var result = _generator.Generate(
            new GenerationRequest { Prompt = "abc", MaxTokens = 100 },
            _ =>
            {
                if (++pieces == 4) stop.Cancel();
            },
            cancellation: stop.Token);
        Assert.Equal(("defg", FinishReason.Cancelled), (result.Text, result.FinishReason));
        Assert.Equal("d", Generate(new GenerationRequest { Prompt = "abc", MaxTokens = 1 }).Text);
    }

    [Fact]
    public void The_begin_token_is_added_as_asked_or_as_the_tokenizer_wants()
    {
        using var wanting = new TextGenerator(_model, ByteTokenizer.Create(addBegin: true));
        int a = 'a' + ByteTokenizer.FirstByte;
        Assert.Equal([a], _generator.Encode(new GenerationRequest { Prompt = "a" }));
        Assert.Equal([0, a], _generator.Encode(new GenerationRequest { Prompt = "a", AddBeginToken = true }));
        Assert.Equal([0, a], wanting.Encode(new GenerationRequest { Prompt = "a" }));
        Assert.Equal([0, a], wanting.Encode(new GenerationRequest { Prompt = "<begin>a" }));
        Assert.Equal([a], wanting.Encode(new GenerationRequest { Prompt = "a", AddBeginToken = false }));
        Assert.Equal([0], wanting.Encode(new GenerationRequest()));
    }

    [Fact]
    public async Task Streaming_gives_pieces_and_at_last_the_result()
    {
        var pieces = new List<GenerationUpdate>();
        var request = new GenerationRequest { Prompt = "abc", MaxTokens = 5 };
        await foreach (var piece in _generator.StreamAsync(request, TestContext.Current.CancellationToken)) pieces.Add(piece);
        Assert.Equal(["d", "e", "f", "g", "h", ""], pieces.Select(p => p.Text));
        Assert.Equal("defgh", pieces[^1].Result!.Text);
        Assert.All(pieces.SkipLast(1), p => Assert.Null(p.Result));
    }

    [Fact]
    public async Task Leaving_the_stream_ends_the_generation()
    {
        await foreach (var piece in _generator.StreamAsync(new GenerationRequest { Prompt = "abc", MaxTokens = 150 }, TestContext.Current.CancellationToken))
        {
            if (piece.Text == "e") break;
        }

        Assert.Equal("d", Generate(new GenerationRequest { Prompt = "abc", MaxTokens = 1 }).Text);
    }

    [Fact]
    public async Task Errors_come_out_of_the_stream()
    {
        await Assert.ThrowsAsync<GenerationException>(async () =>
        {
            await foreach (var _ in _generator.StreamAsync(new GenerationRequest(), TestContext.Current.CancellationToken))
            {
            }
        });
    }

    private static void AssertError(string words, Func<object> action) =>
        Assert.Contains(words, Assert.Throws<GenerationException>(action).Message, StringComparison.Ordinal);

    private GenerationResult Generate(GenerationRequest request, Action<string>? onText = null) =>
        _generator.Generate(request, onText, cancellation: TestContext.Current.CancellationToken);
}
