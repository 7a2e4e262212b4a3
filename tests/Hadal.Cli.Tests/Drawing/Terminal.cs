using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Spectre.Console;

namespace Hadal.Cli.Tests.Drawing;

/// <summary>A console over a string, and a reader of what a terminal would show for it.</summary>
internal sealed partial class Terminal : IDisposable
{
    private readonly StringWriter _written = new() { NewLine = "\n" };

    public Terminal(int width, int height, bool interactive = true, bool unicode = true)
    {
        Console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = interactive ? AnsiSupport.Yes : AnsiSupport.No,
            Interactive = interactive ? InteractionSupport.Yes : InteractionSupport.No,
            ColorSystem = ColorSystemSupport.Standard,
            Out = new AnsiConsoleOutput(_written),
            // Otherwise the machine the tests run on (a build server, say) decides.
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        Console.Profile.Width = width;
        Console.Profile.Height = height;
        Console.Profile.Capabilities.Unicode = unicode;
    }

    public IAnsiConsole Console { get; }

    public string Written => _written.ToString();

    public bool CursorShown => Written.LastIndexOf("\u001b[?25h", StringComparison.Ordinal) > Written.LastIndexOf("\u001b[?25l", StringComparison.Ordinal);

    public void Dispose() => _written.Dispose();

    /// <summary>Lines on the screen, without trailing spaces; fails on an escape sequence it does not know.</summary>
    public string[] Screen()
    {
        var rows = new List<StringBuilder> { new() };
        int row = 0;
        int column = 0;
        string text = Written;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\u001b')
            {
                var sequence = ControlSequence().Match(text, i);
                Assert.True(sequence.Success && sequence.Index == i, $"unknown escape sequence at {i}");
                i += sequence.Length - 1;
                int number = int.TryParse(sequence.Groups[1].Value, CultureInfo.InvariantCulture, out int n) ? n : 1;
                switch (sequence.Groups[2].Value)
                {
                    case "A":
                        row = Math.Max(0, row - number);
                        break;
                    case "K":
                        rows[row].Clear();
                        break;
                    case "m" or "h" or "l":
                        break;
                    default:
                        Assert.Fail($"unknown escape sequence {sequence.Value[1..]}");
                        break;
                }
            }
            else if (text[i] == '\r')
            {
                column = 0;
            }
            else if (text[i] == '\n')
            {
                column = 0;
                if (++row == rows.Count) rows.Add(new StringBuilder());
            }
            else
            {
                while (rows[row].Length <= column) rows[row].Append(' ');
                rows[row][column++] = text[i];
            }
        }

        return [.. rows.Select(r => r.ToString().TrimEnd())];
    }

    [GeneratedRegex(@"\G\u001b\[([?0-9;]*)([A-Za-z])")]
    private static partial Regex ControlSequence();
}
