using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Training.Parameters;

namespace Hadal.Training.Checkpoints;

/// <summary>Fills a fresh model from a folder that somebody trained.</summary>
internal static class StartingWeights
{
    /// <summary>Reads weights (FP8 codes times their scales) and router biases; MTP modules that the folder lacks stay fresh, and missing biases 0.</summary>
    /// <param name="model">Fresh weights: of the whole model, or some of them.</param>
    /// <param name="backend">Where it is.</param>
    /// <param name="folder">A Hugging Face folder or a GGUF file.</param>
    /// <param name="warn">Told of what the folder lacks.</param>
    /// <exception cref="Hadal.Model.Configuration.ConfigException">The folder's <c>config.json</c> is missing or wrong.</exception>
    /// <exception cref="CheckpointException">The folder is no model, is damaged, or holds another architecture: the message names the tensor.</exception>
    public static void Load(IModelWeights model, IBackend backend, string folder, Action<string>? warn)
    {
        using var checkpoint = Checkpoint.Open(folder);
        if (checkpoint.Config.Layers != model.Config.Layers)
            throw new CheckpointException(folder, null, $"the folder has {checkpoint.Config.Layers} layers (num_hidden_layers), but the model of the run has {model.Config.Layers}");
        if (checkpoint.Config.RopeInterleave != model.Config.RopeInterleave)
            throw new CheckpointException(folder, null, "the rotary rows of the folder's weights lie in another order (rope_interleave) than the model of the run has them");

        var fresh = new HashSet<string>();
        for (int k = checkpoint.MtpLayers; k < model.Config.MtpLayers; k++)
        {
            string prefix = $"model.layers.{model.Config.Layers + k}.";
            fresh.UnionWith(model.Named.Select(p => p.Name).Concat(model.BiasedLayers.Select(e => e.BiasName)).Where(n => n.StartsWith(prefix, StringComparison.Ordinal)));
            warn?.Invoke($"{folder} has no weights of MTP module {k + 1} (layer {model.Config.Layers + k}); it starts with fresh ones.");
        }

        string[] biases = [.. model.BiasedLayers.Where(e => !fresh.Contains(e.BiasName) && !checkpoint.Contains(e.BiasName)).Select(e => e.BiasName)];
        if (biases.Length > 0) warn?.Invoke($"{folder} has no router biases ({biases[0]}); they start at 0.");
        fresh.UnionWith(biases);
        ModelWeights.Load(model, backend, checkpoint, fresh);
    }
}
