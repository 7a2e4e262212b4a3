using System.CommandLine;
using System.Text;

namespace Hadal.Cli.Tests;

public class SurfaceTests
{
    /// <summary>Scripts depend on these names. A change here is a change for them: edit the file on purpose, and say so in the release notes.</summary>
    [Fact]
    public void Commands_and_options_are_those_of_the_checked_in_list()
    {
        string file = Path.Combine(GoldenData.Root, "tests", "Hadal.Cli.Tests", "surface.txt");
        string surface = Describe();
        Assert.True(File.ReadAllText(file).ReplaceLineEndings("\n") == surface, $"The command line is now as follows; if that is meant, put it into {file}:\n{surface}");
    }

    private static string Describe()
    {
        var text = new StringBuilder();
        foreach (var (path, command) in HelpTests.All(new HadalRoot(), []))
        {
            text.AppendJoin(' ', ["hadal", .. path]);
            foreach (var argument in command.Arguments) text.Append(' ').Append(argument.Name).Append(argument.Arity.MaximumNumberOfValues > 1 ? "…" : "");
            text.Append('\n');
            foreach (var option in command.Options.Where(o => path.Length == 0 || !o.Recursive).OrderBy(o => o.Name, StringComparer.Ordinal)) text.Append("  ").Append(Describe(option)).Append('\n');
        }

        return text.ToString();
    }

    private static string Describe(Option option)
    {
        string names = string.Join(", ", [option.Name, .. option.Aliases.Order(StringComparer.Ordinal)]);
        string value = option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool) ? "" : " " + (option.HelpName ?? option.ValueType.Name);
        return names + value + (option.Required ? " (required)" : "") + (option.Recursive ? " (everywhere)" : "");
    }
}
