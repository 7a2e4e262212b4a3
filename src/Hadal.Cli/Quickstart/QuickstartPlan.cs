using Hadal.Cli.Wiring;
using Hadal.Training.Presets;
using Hadal.Training.Runs;

namespace Hadal.Cli.Quickstart;

/// <summary>The run of <c>hadal quickstart</c>: the preset of that name on the SDK's documentation, in as many steps as there is time for.</summary>
internal static class QuickstartPlan
{
    /// <summary>Tokens of the tokenizer that is trained.</summary>
    public static int VocabularySize => RunPreset.Quickstart.Model.VocabularySize;

    /// <summary>The run, of one step until <see cref="For"/> is told how many there is time for.</summary>
    /// <param name="vocabularySize">Entries of the trained tokenizer.</param>
    /// <param name="data">Files and folders beside the SDK's documentation; relative to the run's folder.</param>
    /// <param name="seed">Seed of weights and data order.</param>
    public static RunConfig Run(int vocabularySize, IEnumerable<string> data, ulong seed) =>
        RunPreset.Quickstart.ToRun("tokenizer", [TrainingText.DotnetDocumentationName, .. data], vocabularySize) with { Steps = 1, Seed = seed };

    /// <summary>The run cut to a number of steps: warm-up, peak and decay in proportion.</summary>
    public static RunConfig For(this RunConfig run, int steps) => run with
    {
        Steps = steps,
        ValidateEvery = Math.Max(1, steps / 10),
        Optimizer = run.Optimizer with { WarmupSteps = Math.Min(RunPreset.Quickstart.Recipe.Optimizer.WarmupSteps, Math.Max(1, steps / 10)) },
    };
}
