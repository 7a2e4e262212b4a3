using System.CommandLine;
using Hadal.Cli.CommandLine;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Cli.Wiring;

/// <summary>The options that say how a model is loaded, for every command that runs one.</summary>
internal sealed class LoadingArguments
{
    private readonly Option<WeightFormat?> _weights = WeightNames.Option();
    private readonly Option<int> _threads = CommonOptions.Threads();
    private readonly Option<long?> _memory = Numbers.Bytes("--memory", "Memory for the model in all; of the routed experts, those that do not fit are read from the disk when they are needed.");
    private readonly Option<bool> _preload = new("--preload") { Description = "Load all weights before the first token instead of beside it; with --memory also as many experts as fit." };
    private readonly Option<bool> _lock = new("--lock") { Description = "Keep the weights in physical memory, so that the system never swaps them out." };

    public LoadingArguments(Command command)
    {
        foreach (var option in (Option[])[_weights, _threads, _memory, _preload, _lock]) command.Options.Add(option);
    }

    /// <summary>Loads a model as the options say.</summary>
    public LoadedModel Load(CommandContext context, string folder, bool mtp) => LoadedModel.Load(context, folder, Threads(context), Read(context, mtp));

    /// <summary>Threads that compute; 0 for one per processor.</summary>
    public int Threads(CommandContext context) => context.Get(_threads);

    /// <summary>What the options say.</summary>
    public LoadOptions Read(CommandContext context, bool mtp) => new()
    {
        Mtp = mtp,
        Weights = context.Find(_weights),
        Memory = context.Find(_memory),
        WarmExperts = context.Get(_preload),
        Lazy = !context.Get(_preload),
        Lock = context.Get(_lock),
    };
}
