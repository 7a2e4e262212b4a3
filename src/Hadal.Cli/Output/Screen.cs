using Spectre.Console;

namespace Hadal.Cli.Output;

/// <summary>Spectre.Console on one of our streams.</summary>
internal static class Screen
{
    // Wide enough that no line of ours is broken when a file or another program reads it.
    private const int UnboundedWidth = 100_000;

    /// <summary>Columns of the screen that standard error goes to; 80 where that cannot be told.</summary>
    public static int Width
    {
        get
        {
            try
            {
                return Console.WindowWidth is > 0 and var width ? width : 80;
            }
            catch (IOException)
            {
                return 80;
            }
        }
    }

    public static IAnsiConsole On(TextWriter writer, bool isTerminal, bool colors)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = isTerminal && colors ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
        });
        if (!isTerminal) console.Profile.Width = UnboundedWidth;
        return console;
    }
}
