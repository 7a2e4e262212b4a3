using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Hadal.Cli.CommandLine;

/// <summary>The help of System.CommandLine, with examples behind it.</summary>
internal sealed class HelpPage(HelpAction page) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        page.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not IWithExamples { Examples: { Count: > 0 } examples }) return ExitCodes.Success;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine(examples.Count == 1 ? "Example:" : "Examples:");
        foreach (string example in examples) output.WriteLine("  " + example);
        output.WriteLine();
        return ExitCodes.Success;
    }
}
