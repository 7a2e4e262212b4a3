using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Diagnosis;
using Hadal.Cli.Output;
using Spectre.Console;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal doctor</c>: whether hadal can work on this machine.</summary>
internal sealed class DoctorCommand()
    : HadalCommand("doctor", "Check that everything hadal needs is there and works on this machine.", "hadal doctor", "hadal doctor --json")
{
    protected override int Run(CommandContext context)
    {
        var checks = MachineChecks.Run(Environment.CurrentDirectory);
        bool ok = checks.All(c => c.Ok);
        if (context.Json)
        {
            JsonOutput.Write(context.Streams.Out, new JsonObject
            {
                ["ok"] = ok,
                ["checks"] = new JsonArray([.. checks.Select(c => new JsonObject { ["name"] = c.Name, ["ok"] = c.Ok, ["detail"] = c.Detail })]),
            });
        }
        else
        {
            int width = checks.Max(c => c.Name.Length);
            foreach (var check in checks)
            {
                string mark = check.Ok ? "[green]well[/]" : "[red]ill [/]";
                context.Out.MarkupLine($"{mark}  {check.Name.PadRight(width)}  {Markup.Escape(check.Detail)}");
            }

            context.Out.WriteLine(ok ? "All is well." : "Something is missing; see above.");
        }

        return ok ? ExitCodes.Success : ExitCodes.Mistake;
    }
}
