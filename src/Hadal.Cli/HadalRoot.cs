using System.CommandLine;
using System.CommandLine.Help;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Commands;

namespace Hadal.Cli;

/// <summary>All commands.</summary>
internal sealed class HadalRoot : RootCommand, IWithExamples
{
    public HadalRoot()
        : base("Hadal trains and runs models of DeepSeek-V3's architecture, from raw text to a talking model, on any machine with .NET.")
    {
        HelpName = "hadal";
        Options.Add(CommonOptions.Json);
        Options.Add(CommonOptions.Verbose);
        foreach (var command in Commands()) Subcommands.Add(command);
        var help = Options.OfType<HelpOption>().Single();
        help.Action = new HelpPage((HelpAction)help.Action!);
        help.Description = "Show what a command does, its options, and examples.";
    }

    public IReadOnlyList<string> Examples { get; } =
    [
        "hadal quickstart                                          see it all work in a few minutes",
        "hadal generate quickstart/model --prompt \"A list is\"",
        "hadal inspect ~/models/DeepSeek-V3",
    ];

    // In the order in which a newcomer meets them.
    private static Command[] Commands() =>
    [
        new QuickstartCommand(),
        new TrainCommand(),
        new WatchCommand(),
        new ReportCommand(),
        new AblateCommand(),
        new GenerateCommand(),
        new ChatCommand(),
        new ServeCommand(),
        new CommandGroup("key", "Make API keys for hadal serve.", ["hadal key new alice --file keys.txt"], new KeyNewCommand()),
        new InspectCommand(),
        new TraceCommand(),
        new ConvertCommand(),
        new QuantizeCommand(),
        new CommandGroup("data", "Turn raw files into data to train on.", ["hadal data build recipe.json --out data/", "hadal data show data/"], new DataBuildCommand(), new DataShowCommand()),
        new CommandGroup("tokenizer", "Make tokenizers and use them.",
            ["hadal tokenizer train --vocab 4096 --out my-tokenizer notes/", "hadal tokenizer encode my-tokenizer --jsonl texts.jsonl --out ids.jsonl"],
            new TokenizerEncodeCommand(), new TokenizerDecodeCommand(), new TokenizerStatsCommand(), new TokenizerTrainCommand()),
        new PlanCommand(),
        new BenchCommand(),
        new DoctorCommand(),
    ];
}
