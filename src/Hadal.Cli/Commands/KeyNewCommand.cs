using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;
using Hadal.Cli.Output;
using Hadal.Model.Checkpoints;
using Hadal.Serving.Security;

namespace Hadal.Cli.Commands;

/// <summary><c>hadal key new</c>: an API key, of which the file keeps the hash only.</summary>
internal sealed class KeyNewCommand : HadalCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "Whose key it is: letters, digits, dots, hyphens and underscores." };
    private readonly Option<string> _file = new("--file") { Description = "The file to add it to; made if it does not exist.", HelpName = "FILE", Required = true };
    private readonly Option<int> _rate = Numbers.Whole("--requests-per-minute", "Requests a minute at most; 0 for any number.", 0, 0);
    private readonly Option<int> _concurrent = Numbers.Whole("--concurrent", "Requests at once at most; 0 for any number.", 0, 0);

    public KeyNewCommand()
        : base("new", "Make an API key. It is printed once; the file keeps its hash.",
            "hadal key new alice --file keys.txt",
            "hadal key new build-server --file keys.txt --requests-per-minute 60 --concurrent 4")
    {
        Arguments.Add(_name);
        foreach (var option in (Option[])[_file, _rate, _concurrent]) Options.Add(option);
    }

    protected override int Run(CommandContext context)
    {
        string file = context.Get(_file), name = context.Get(_name), key = ApiKeyFile.NewKey();
        string line = ApiKeyFile.LineOf(key, name, Or(context.Get(_rate)), Or(context.Get(_concurrent)));
        string before = File.Exists(file) ? File.ReadAllText(file) : "";
        if (before.Length > 0 && before.Trim().Length > 0 && ApiKeyFile.Load(file).Keys.Any(k => k.Name == name))
            throw new MistakeException($"{file} has a key of the name {name} already; remove its line first, or choose another name");
        if (before.Length > 0 && !before.EndsWith('\n')) before += "\n";

        // A server that reads the file meanwhile sees all of it. Hashes are nobody else's business all the same.
        AtomicFile.Write(file, stream => stream.Write(Encoding.UTF8.GetBytes(before + line + "\n")), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (context.Json) JsonOutput.Write(context.Streams.Out, new JsonObject { ["name"] = name, ["key"] = key });
        else context.Streams.Out.WriteLine(key);
        context.Say($"{file} has its hash; the key itself is shown this once.");
        return ExitCodes.Success;

        static int? Or(int value) => value == 0 ? null : value;
    }
}
