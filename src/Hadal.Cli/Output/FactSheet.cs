using Hadal.Cli.CommandLine;
using Spectre.Console;

namespace Hadal.Cli.Output;

/// <summary>Names and values: in columns on a screen, as <c>name: value</c> lines elsewhere.</summary>
internal sealed class FactSheet(string title)
{
    private readonly List<(string Name, string Value)> _facts = [];

    public FactSheet Add(string name, string value)
    {
        _facts.Add((name, value));
        return this;
    }

    public void Write(CommandContext context)
    {
        if (!context.Streams.OutIsTerminal)
        {
            context.Streams.Out.WriteLine(title);
            foreach (var (name, value) in _facts) context.Streams.Out.WriteLine($"  {name}: {value}");
            return;
        }

        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadLeft(2).PadRight(3)).AddColumn();
        foreach (var (name, value) in _facts) grid.AddRow(new Markup($"[grey]{Markup.Escape(name)}[/]"), new Text(value));
        context.Out.MarkupLine($"[bold]{Markup.Escape(title)}[/]");
        context.Out.Write(grid);
    }
}
