using Hadal.Cli.Drawing;

namespace Hadal.Cli.Tests.Drawing;

public class LiveTrainingViewTests
{
    [Fact]
    public void A_pipe_gets_a_line_every_few_seconds_and_always_the_last()
    {
        using var terminal = new Terminal(80, 24, interactive: false);
        var clock = new HandClock();
        using (var view = LiveTrainingView.Start(terminal.Console, "a small model", 100, clock: clock))
        {
            foreach (var step in SyntheticRun.Steps(100))
            {
                clock.Advance(0.1);
                view.Report(step);
            }

            view.Complete();
        }

        // Ten seconds of steps: the first, one after five seconds, and the last, which is due anyway only a moment later.
        string[] lines = terminal.Written.TrimEnd('\n').Split('\n');
        Assert.Equal("a small model", lines[0]);
        Assert.StartsWith("step 1/100 (1%)  loss ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("step 51/100 (51%)  loss ", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("step 100/100 (100%)  loss ", lines[3], StringComparison.Ordinal);
        Assert.Equal("done in 10 s", lines[4]);
        Assert.Equal(5, lines.Length);
        Assert.Contains("  validation ", lines[2], StringComparison.Ordinal);
        Assert.Contains("  MaxVio ", lines[2], StringComparison.Ordinal);
        Assert.EndsWith("  0:04 left", lines[2], StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', terminal.Written);
    }

    [Fact]
    public void A_view_of_somebody_elses_run_tells_every_step_and_takes_the_time_from_them()
    {
        using var terminal = new Terminal(80, 24, interactive: false);
        var clock = new HandClock();
        var steps = SyntheticRun.Steps(100);
        using (var view = LiveTrainingView.StartFollowing(terminal.Console, "watching it", 100, 100 * 4096, clock))
        {
            view.Before = TimeSpan.FromMinutes(2);
            view.SecondsPerToken = 30.0 / 4096;
            view.Remark = "run 2 of 3";
            foreach (var step in steps.Take(50)) view.Recall(step);
            foreach (var step in steps.Skip(50).Take(3)) view.Report(step);
            view.Leave();
        }

        string[] lines = terminal.Written.TrimEnd('\n').Split('\n');
        Assert.Equal(["watching i", "step 51/10", "step 52/10", "step 53/10"], lines.Select(l => l[..10]));
        Assert.EndsWith("  24:30 left  (run 2 of 3)", lines[1], StringComparison.Ordinal); // 49 steps of half a minute
    }

    [Fact]
    public void A_pipe_learns_that_a_run_was_left()
    {
        using var terminal = new Terminal(80, 24, interactive: false);
        var clock = new HandClock();
        Assert.Throws<InvalidOperationException>((Action)Fail);

        void Fail()
        {
            using var view = LiveTrainingView.Start(terminal.Console, "a small model", 100, clock: clock);
            foreach (var step in SyntheticRun.Steps(100).Take(3)) view.Report(step);
            clock.Advance(12);
            throw new InvalidOperationException("The disk is full.");
        }

        string[] lines = terminal.Written.TrimEnd('\n').Split('\n');
        Assert.StartsWith("step 3/100 (3%)", lines[^2], StringComparison.Ordinal);
        Assert.Equal("stopped after 12 s", lines[^1]);
    }

    [Fact]
    public void A_terminal_shows_progress_figures_curve_and_load()
    {
        using var terminal = new Terminal(100, 40);
        var clock = new HandClock();
        var steps = SyntheticRun.Steps(200);
        using (var view = LiveTrainingView.Start(terminal.Console, "a small model", 400, clock: clock))
        {
            view.BigramLoss = 4.02;
            foreach (var step in steps)
            {
                clock.Advance(0.5);
                view.Report(step);
            }

            string screen = string.Join('\n', terminal.Screen());
            Assert.Contains("a small model", screen, StringComparison.Ordinal);
            Assert.Contains("step 200 of 400", screen, StringComparison.Ordinal);
            Assert.Contains(" 50%  1:40, 1:40 left", screen, StringComparison.Ordinal);
            foreach (string label in new[] { "loss", "validation", "bigram", "MTP loss", "tokens/s", "tokens", "learning rate", "gradient norm", "MoE 1", "MoE 2", "MTP 1" })
            {
                Assert.Contains(label, screen, StringComparison.Ordinal);
            }

            Assert.Contains(Figures.Loss(steps[^1].MainLoss), screen, StringComparison.Ordinal);
            Assert.Contains("4.020", screen, StringComparison.Ordinal);
            // The curve falls from the top left to the bottom right.
            string[] plot = [.. terminal.Screen().Where(l => l.Contains('│', StringComparison.Ordinal))];
            Assert.InRange(plot[0].IndexOfAny([.. plot[0].Where(IsBraille)]), 9, 12);
            Assert.True(IsBraille(plot[^1][^1]));
            Assert.False(terminal.CursorShown);
            view.Complete();
        }

        Assert.Contains("done in 1:40", string.Join('\n', terminal.Screen()), StringComparison.Ordinal);
        Assert.True(terminal.CursorShown);
    }

    [Fact]
    public void A_terminal_is_drawn_at_most_five_times_a_second()
    {
        using var terminal = new Terminal(100, 40);
        var clock = new HandClock();
        using (var view = LiveTrainingView.Start(terminal.Console, "a small model", 1000, clock: clock))
        {
            foreach (var step in SyntheticRun.Steps(1000))
            {
                clock.Advance(0.001);
                view.Report(step);
            }

            view.Complete();
        }

        // Within the second: the empty frame, the first step, four more; then the completed frame and the library's own last refresh.
        int frames = terminal.Written.Split("a small model").Length - 1;
        Assert.InRange(frames, 5, 8);
    }

    [Fact]
    public void The_cursor_comes_back_when_the_run_fails()
    {
        using var terminal = new Terminal(80, 24);
        Assert.Throws<InvalidOperationException>((Action)Fail);

        void Fail()
        {
            using var view = LiveTrainingView.Start(terminal.Console, "a small model", 10, clock: new HandClock());
            view.Report(SyntheticRun.Steps(10)[0]);
            throw new InvalidOperationException("The disk is full.");
        }

        Assert.True(terminal.CursorShown);
        Assert.Contains("stopped after 0:00", string.Join('\n', terminal.Screen()), StringComparison.Ordinal);
    }

    [Fact]
    public void The_console_is_free_for_another_view_afterwards()
    {
        using var terminal = new Terminal(80, 24);
        for (int run = 0; run < 2; run++)
        {
            using var view = LiveTrainingView.Start(terminal.Console, $"run {run}", 10, clock: new HandClock());
            Assert.Throws<InvalidOperationException>(() => LiveTrainingView.Start(terminal.Console, "at the same time", 10));
            view.Complete();
        }

        Assert.True(terminal.CursorShown);
    }

    [Fact]
    public void Nothing_is_wider_or_higher_than_the_terminal()
    {
        var clock = new HandClock();
        foreach (var (layers, experts) in new[] { (0, 0), (1, 1), (4, 16), (59, 256) })
        {
            var steps = SyntheticRun.Steps(6, layers, modules: layers > 0 ? 1 : 0, experts);
            foreach (int width in new[] { 1, 9, 20, 60, 80, 300 })
            {
                foreach (int height in new[] { 2, 5, 14, 24, 60 })
                {
                    using var terminal = new Terminal(width, height);
                    using (var view = LiveTrainingView.Start(terminal.Console, "a title that is longer than a narrow terminal is wide\nand has two lines", 30, clock: clock))
                    {
                        foreach (var step in steps)
                        {
                            clock.Advance(1);
                            view.Report(step);
                        }

                        view.Complete();
                    }

                    string[] screen = terminal.Screen();
                    Assert.True(screen.Length <= height, $"{screen.Length} lines on {width}x{height}");
                    Assert.True(screen.All(line => line.Length < Math.Max(2, width)), $"a line too long on {width}x{height}");
                }
            }
        }
    }

    [Fact]
    public void Sixty_columns_have_room_for_every_part()
    {
        using var terminal = new Terminal(60, 24);
        using (var view = LiveTrainingView.Start(terminal.Console, "a small model", 30, clock: new HandClock()))
        {
            foreach (var step in SyntheticRun.Steps(30, layers: 4, experts: 64)) view.Report(step);
            view.Complete();
        }

        string[] screen = terminal.Screen();
        Assert.Contains(screen, line => line.Contains('━', StringComparison.Ordinal));
        Assert.Contains(screen, line => line.Contains("gradient norm", StringComparison.Ordinal));
        Assert.Contains(screen, line => line.Contains('│', StringComparison.Ordinal));
        Assert.Equal(4, screen.Count(line => line.Contains("MaxVio", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_terminal_without_unicode_gets_ascii()
    {
        using var terminal = new Terminal(80, 30, unicode: false);
        using (var view = LiveTrainingView.Start(terminal.Console, "a small model", 60, clock: new HandClock()))
        {
            foreach (var step in SyntheticRun.Steps(30, validateEvery: 0)) view.Report(step);
        }

        Assert.All(terminal.Written, c => Assert.True(c < 128));
    }

    [Fact]
    public void Bars_stand_for_loads()
    {
        using var terminal = new Terminal(80, 40);
        // Even share 100: idle, half, even, twice and more.
        var step = SyntheticRun.Steps(1)[0] with { MtpLoss = [], MaxViolation = [1.5], ExpertLoad = [[0, 50, 100, 250]] };
        using (var view = LiveTrainingView.Start(terminal.Console, "a small model", 1, clock: new HandClock()))
        {
            view.Report(step);
            view.Complete();
        }

        string line = Assert.Single(terminal.Screen(), l => l.StartsWith("MoE 1", StringComparison.Ordinal));
        Assert.Matches("^MoE 1 {2,}▂▂▂ ▄▄▄ ███ +MaxVio +1.5$", line);
    }

    [Fact]
    public void Progress_follows_the_clock_where_time_ends_the_run()
    {
        using var terminal = new Terminal(80, 24);
        var clock = new HandClock();
        using var view = LiveTrainingView.Start(terminal.Console, "a small model", 0, TimeSpan.FromMinutes(3), clock);
        foreach (var step in SyntheticRun.Steps(9))
        {
            clock.Advance(5);
            view.Report(step);
        }

        string screen = string.Join('\n', terminal.Screen());
        Assert.Contains(" 25%  0:45, 2:15 left", screen, StringComparison.Ordinal);
        Assert.DoesNotContain("step 9 of", screen, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_whose_steps_grow_is_told_by_its_tokens()
    {
        using var terminal = new Terminal(80, 24);
        var clock = new HandClock();
        using var view = LiveTrainingView.Start(terminal.Console, "a small model", 6, clock: clock, tokens: 10_000);

        // Ten seconds for a thousand tokens.
        foreach (var (step, tokens) in SyntheticRun.Steps(3).Zip([1000L, 2000, 4000]))
        {
            clock.Advance(tokens == 4000 ? 20 : 10);
            view.Report(step with { Tokens = tokens });
        }

        Assert.Contains(" 40%  0:40, 1:00 left", string.Join('\n', terminal.Screen()), StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_are_no_numbers_are_shown_as_unknown()
    {
        var step = SyntheticRun.Steps(1)[0] with { MainLoss = double.NaN, GradNorm = double.PositiveInfinity, TokensPerSecond = double.NaN, MaxViolation = [double.NaN, 0.1, 0.2] };
        foreach (bool interactive in new[] { true, false })
        {
            using var terminal = new Terminal(80, 40, interactive);
            using (var view = LiveTrainingView.Start(terminal.Console, "a small model", 10, clock: new HandClock()))
            {
                view.Report(step);
                view.Report(step with { Step = 2 });
            }

            Assert.Contains(Figures.Unknown, terminal.Written, StringComparison.Ordinal);
            Assert.DoesNotContain("NaN", terminal.Written, StringComparison.Ordinal);
            Assert.DoesNotContain("∞", terminal.Written, StringComparison.Ordinal);
        }
    }

    private static bool IsBraille(char c) => c is >= '\u2801' and <= '\u28ff';
}
