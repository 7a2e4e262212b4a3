using Hadal.Cli.CommandLine;

namespace Hadal.Cli.Tests;

public class CommandLineTests(Samples samples)
{
    [Theory]
    [InlineData("genrate", "hadal has no command \"genrate\"; did you mean generate?", "See hadal --help.")]
    [InlineData("inspect", "MODEL is missing.", "See hadal inspect --help.")]
    [InlineData("inspect a b", "hadal inspect does not know what to do with \"b\".", "See hadal inspect --help.")]
    [InlineData("inspect a --jsn", "hadal inspect has no option --jsn; did you mean --json?", "See hadal inspect --help.")]
    [InlineData("train --out x", "--config or --preset is missing.", "See hadal train --help.")]
    [InlineData("train --preset tiny", "--out is missing.", "See hadal train --help.")]
    [InlineData("train --preset", "--preset needs a value behind it.", "See hadal train --help.")]
    [InlineData("train --preset tiny --config a --out b", "--config and --preset are two ways to say what is trained; give one of them.", "See hadal train --help.")]
    [InlineData("train --config a --data b --out c", "--data needs --preset beside it; a run file says it itself.", "See hadal train --help.")]
    [InlineData("train --config", "--config needs a value behind it.", "See hadal train --help.")]
    [InlineData("tokenizer", "hadal tokenizer needs a command behind it: encode or decode or stats or train.", "See hadal tokenizer --help.")]
    [InlineData("generate m --prompt x --temperature hot", "--temperature is \"hot\", but has to be a number from 0 to 100.", "See hadal generate --help.")]
    [InlineData("generate m --prompt x --temperature -1", "--temperature is \"-1\", but has to be a number from 0 to 100.", "See hadal generate --help.")]
    [InlineData("generate m --prompt x --top-k 1.5", "--top-k is \"1.5\", but has to be a whole number of at least 0.", "See hadal generate --help.")]
    [InlineData("generate m --prompt x --seed -1", "--seed is \"-1\", but has to be a whole number from 0 to 18446744073709551615.", "See hadal generate --help.")]
    [InlineData("generate m --prompt x --threads 9999", "--threads is \"9999\", but has to be a whole number from 0 to 1024.", "See hadal generate --help.")]
    [InlineData("tokenizer train --vocab 3 --out x y", "--vocab is \"3\", but has to be a whole number from 259 to 10000000.", "See hadal tokenizer train --help.")]
    public void A_wrong_command_line_gets_one_sentence_and_where_to_read_on(string line, string sentence, string hint)
    {
        var run = CliRun.Of(line.Split(' '));
        Assert.Equal(sentence.TrimEnd('?'), run.Code == 2 ? run.Error.Split('\n')[0]["error: ".Length..].TrimEnd('?') : $"exit code {run.Code}");
        Assert.Equal(hint, run.Error.Split('\n')[1]);
        Assert.Empty(run.Out);
    }

    [Fact]
    public void An_argument_that_begins_with_an_at_sign_is_no_response_file()
    {
        var run = CliRun.Of("generate", samples.ModelFolder, "--prompt", "@/does/not/exist", "--max-tokens", "1", "--threads", "1", "--json");
        Assert.Equal(0, run.Code);
    }

    [Fact]
    public async Task A_fault_of_ours_is_one_sentence_and_exit_code_1_without_a_stack_trace()
    {
        using var error = new StringWriter();
        int code = await HadalProgram.RunAsync(["doctor"], new Streams(TextReader.Null, new BrokenWriter(), error), CancellationToken.None);
        Assert.Equal(1, code);
        Assert.Equal("error: Something went wrong inside hadal (InvalidOperationException: This writer is broken). Run again with --verbose for the stack trace.", error.ToString().Trim());
    }

    [Fact]
    public void Verbose_shows_the_stack_trace_of_an_error()
    {
        var run = CliRun.Of("inspect", "/does/not/exist", "--verbose");
        Assert.Equal(2, run.Code);
        Assert.Contains("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Errors_are_red_on_a_terminal_that_wants_colours_and_plain_elsewhere()
    {
        Assert.StartsWith("\e[31merror: ", CliRun.OnTerminal(true, "", "inspect", "/does/not/exist").Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', CliRun.OnTerminal(false, "", "inspect", "/does/not/exist").Error);
        Assert.DoesNotContain('\e', CliRun.Of("inspect", "/does/not/exist").Error);
    }

    [Fact]
    public void Output_that_is_no_terminal_gets_no_control_sequences()
    {
        Assert.DoesNotContain('\e', CliRun.Of("inspect", samples.ModelFolder).Out);
        Assert.DoesNotContain('\e', CliRun.Of("doctor").Out);
    }

    private sealed class BrokenWriter : StringWriter
    {
        public override void Write(char value) => throw new InvalidOperationException("This writer is broken.");

        public override void Write(string? value) => throw new InvalidOperationException("This writer is broken.");

        public override void WriteLine(string? value) => throw new InvalidOperationException("This writer is broken.");
    }
}
