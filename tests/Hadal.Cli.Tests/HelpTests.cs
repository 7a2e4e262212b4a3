using System.CommandLine;
using Hadal.Cli.CommandLine;

namespace Hadal.Cli.Tests;

public class HelpTests
{
    public static TheoryData<string> Commands => [.. All(new HadalRoot(), []).Select(c => string.Join(' ', c.Path))];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Help_of_every_command_says_what_it_does_and_ends_with_an_example(string path)
    {
        string[] words = path.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var run = CliRun.Of([.. words, "--help"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("Usage:", run.Out, StringComparison.Ordinal);
        string[] examples = run.Out[run.Out.IndexOf("\nExample", StringComparison.Ordinal)..].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(examples[1..], e => Assert.Contains("hadal " + string.Join(' ', words), e, StringComparison.Ordinal));
        Assert.NotEmpty(examples[1..]);
    }

    [Fact]
    public void Every_option_and_argument_has_a_description() => Assert.All(
        All(new HadalRoot(), []),
        c => Assert.All(c.Command.Options.Cast<Symbol>().Concat(c.Command.Arguments).Append(c.Command), s => Assert.False(string.IsNullOrEmpty(s.Description), s.Name)));

    [Fact]
    public void Examples_can_be_parsed() => Assert.All(
        All(new HadalRoot(), []).SelectMany(c => ((IWithExamples)c.Command).Examples).Where(e => !e.Contains("quickstart  ", StringComparison.Ordinal)),
        example =>
        {
            string command = example[example.IndexOf("hadal ", StringComparison.Ordinal)..];
            Assert.Empty(new HadalRoot().Parse(command["hadal ".Length..]).Errors);
        });

    [Fact]
    public void The_bare_name_shows_the_help()
    {
        var run = CliRun.Of();
        Assert.Equal(0, run.Code);
        Assert.Equal(CliRun.Of("--help").Out, run.Out);
    }

    internal static IEnumerable<(string[] Path, Command Command)> All(Command command, string[] path)
    {
        yield return (path, command);
        foreach (var inner in command.Subcommands.SelectMany(c => All(c, [.. path, c.Name]))) yield return inner;
    }
}
