using System.CommandLine;
using System.CommandLine.Parsing;

namespace Hadal.Cli.CommandLine;

/// <summary>Turns what the parser found into one sentence.</summary>
internal static class ParseComplaint
{
    public static string Sentence(ParseResult arguments)
    {
        var command = arguments.CommandResult.Command;
        if (arguments.UnmatchedTokens is [var stranger, ..]) return Unknown(stranger, command);
        var error = arguments.Errors[0];
        return error.SymbolResult switch
        {
            CommandResult { Command: CommandGroup } => $"{HadalProgram.CommandPath(command)} needs a command behind it: {string.Join(" or ", command.Subcommands.Select(c => c.Name))}.",
            CommandResult or OptionResult { Implicit: true } when FirstMissing(arguments) is { } missing => missing,
            OptionResult { Tokens.Count: 0, Implicit: false } option => $"{option.Option.Name} needs a value behind it.",
            ArgumentResult { Tokens.Count: 0, Parent: OptionResult option } => $"{option.Option.Name} needs a value behind it.",
            ArgumentResult { Tokens.Count: 0 } argument => $"{argument.Argument.Name} is missing.",
            OptionResult { Tokens.Count: > 1 } option => $"{option.Option.Name} is given more than once.",
            _ => error.Message,
        };
    }

    private static string? FirstMissing(ParseResult arguments)
    {
        var command = arguments.CommandResult.Command;
        var argument = command.Arguments.FirstOrDefault(a => a.Arity.MinimumNumberOfValues > 0 && arguments.GetResult(a) is null or { Tokens.Count: 0 });
        if (argument is not null) return $"{argument.Name} is missing.";
        var option = command.Options.FirstOrDefault(o => o.Required && arguments.GetResult(o) is null or { Tokens.Count: 0 });
        return option is null ? null : $"{option.Name} is missing.";
    }

    private static string Unknown(string token, Command command)
    {
        bool option = token.StartsWith('-');
        IEnumerable<string> known = option ? Options(command) : command.Subcommands.Select(c => c.Name);
        string? similar = known.Select(k => (Name: k, Distance: Distance(k, token)))
            .Where(k => k.Distance <= Math.Max(1, token.Length / 3)).OrderBy(k => k.Distance).Select(k => k.Name).FirstOrDefault();
        string what = option ? $"{HadalProgram.CommandPath(command)} has no option {token}"
            : command.Subcommands.Count > 0 ? $"{HadalProgram.CommandPath(command)} has no command \"{token}\""
            : $"{HadalProgram.CommandPath(command)} does not know what to do with \"{token}\"";
        return similar is null ? what + "." : $"{what}; did you mean {similar}?";
    }

    private static IEnumerable<string> Options(Command command)
    {
        var own = command.Options.Select(o => o.Name);
        return command.Parents.OfType<Command>().Aggregate(own, (all, parent) => all.Concat(parent.Options.Where(o => o.Recursive).Select(o => o.Name)));
    }

    /// <summary>Levenshtein's: how many letters to add, drop or change.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }

        return row[^1];
    }
}
