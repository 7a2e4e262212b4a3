using Hadal.Serving.Load;

namespace Hadal.Serving.Tests.Load;

public sealed class LoadGeneratorTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private LoadGenerator _generator = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _generator = await LoadGenerator.ConnectAsync(new Uri(_server.Url + "/v1/"), cancellation: Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        _generator.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task In_a_closed_loop_every_request_has_the_lengths_asked_for()
    {
        var plan = new LoadPlan { Concurrency = 4, Requests = 12, PromptTokens = LengthDistribution.Fixed(30), AnswerTokens = LengthDistribution.Fixed(9), SharedPrefixTokens = 100, PrefixGroups = 2 };
        var report = await _generator.RunAsync(plan, stop: Cancellation);
        Assert.Equal("tiny", _generator.Model);
        Assert.True(_generator.HasTokens);
        Assert.Equal(12, report.Requests.Count);
        Assert.All(report.Requests, r => Assert.Equal((LoadOutcome.Answered, 130, 9), (r.Outcome, r.PromptTokens, r.AnswerTokens)));
        Assert.All(report.Requests, r => Assert.True(r.FirstToken > 0 && r.FirstToken <= r.End && r.Gaps.Sum() <= r.End));

        // Ten of the prompts begin like one of the first of their group, of which whole pages can be used again.
        Assert.Contains(report.Requests, r => r.CachedTokens >= 64);
        Assert.Equal(12, report.Whole!.Count);
        Assert.Equal(12, report.Good(null, null));
        Assert.Equal(0, report.Good(0, null));
        Assert.Equal(12 * 9 / report.Seconds, report.TokensPerSecond, 1e-9);
    }

    [Fact]
    public async Task In_an_open_loop_all_arrive_and_those_given_up_or_read_slowly_leave_no_pages()
    {
        var plan = new LoadPlan
        {
            Rate = 100,
            Requests = 40,
            PromptTokens = LengthDistribution.Parse("4-40")!,
            AnswerTokens = LengthDistribution.Parse("lognormal:12,0.5")!,
            CancelShare = 0.3,
            SlowShare = 0.3,
            SlowDelay = TimeSpan.FromMilliseconds(5),
            Temperature = 1,
            Seed = 5,
        };
        var progress = new Counting();
        var report = await _generator.RunAsync(plan, progress, Cancellation);
        Assert.Equal(40, report.Requests.Count);
        Assert.Equal(40, report.Count(LoadOutcome.Answered) + report.Count(LoadOutcome.GivenUp));
        Assert.InRange(report.Count(LoadOutcome.GivenUp), 1, 39);
        Assert.InRange(report.Requests.Count(r => r.IsSlow), 1, 39);
        Assert.Equal(report.Requests.Count(r => r is { IsSlow: false, FirstToken: not null }), report.FirstToken!.Count);
        Assert.True(report.Lag!.Count >= 40);
        Assert.True(progress.Reports > 0);
        await _server.IdleAsync();
    }

    [Fact]
    public async Task Stopped_early_it_reports_what_there_is()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var plan = new LoadPlan { Concurrency = 2, Requests = 100_000, AnswerTokens = LengthDistribution.Fixed(20), PromptTokens = LengthDistribution.Fixed(4) };
        var report = await _generator.RunAsync(plan, new Stopping(stop), stop.Token);
        Assert.InRange(report.Requests.Count, 1, 99_999);
        Assert.InRange(report.Count(LoadOutcome.Unfinished), 0, 2);
    }

    [Fact]
    public async Task Errors_are_counted_with_their_sentence()
    {
        var report = await _generator.RunAsync(new LoadPlan { Requests = 2, PromptTokens = LengthDistribution.Fixed(5000) }, stop: Cancellation);
        Assert.Equal(2, report.Count(LoadOutcome.Failed));
        Assert.All(report.Requests, r => Assert.StartsWith("400: ", r.Error));
        Assert.Null(report.FirstToken);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named()
    {
        var e = await Assert.ThrowsAsync<LoadException>(() => LoadGenerator.ConnectAsync(new Uri("http://127.0.0.1:1"), cancellation: Cancellation));
        Assert.Contains("http://127.0.0.1:1", e.Message, StringComparison.Ordinal);
    }

    private sealed class Counting : IProgress<LoadProgress>
    {
        public int Reports { get; private set; }

        public void Report(LoadProgress value) => Reports++;
    }

    // Stops when the first answers are there.
    private sealed class Stopping(CancellationTokenSource stop) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value)
        {
            if (value.Ended > 0) stop.Cancel();
        }
    }
}
