using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Weights;

/// <summary>What the weights of a checkpoint take in memory, told before they are loaded.</summary>
internal sealed class WeightMemory(Checkpoint checkpoint, IBackend backend, LoadOptions options)
{
    private static readonly (TensorRole Upper, TensorRole Lower)[] _stacked =
    [
        (TensorRole.QueryDown, TensorRole.LatentDown), (TensorRole.ExpertGate, TensorRole.ExpertUp), (TensorRole.DenseGate, TensorRole.DenseUp),
        (TensorRole.SharedGate, TensorRole.SharedUp),
    ];

    private readonly WeightFormats _formats = new(checkpoint, options.Weights);

    /// <summary>Bytes of all weights that the options ask for.</summary>
    public long Total()
    {
        var (config, catalog) = (checkpoint.Config, checkpoint.Catalog);
        int mtpLayers = options.Mtp && checkpoint.MtpLayers > 0 ? 1 : 0;
        return catalog.Main.Concat(Enumerable.Range(config.Layers, mtpLayers).SelectMany(catalog.Layer)).Where(t => t.IsParameter).Sum(Of);
    }

    private long Of(TensorSpec spec)
    {
        // It is looked up where it lies in the file.
        if (spec.Role == TensorRole.Embedding) return 0;
        if (spec.Role == TensorRole.LatentUp) return LatentUp(spec);
        return spec.Shape.Rank == 1 ? spec.Count * sizeof(float) : Stacked(spec);
    }

    // Once for prompts, and once cut by heads for decoding.
    private long LatentUp(TensorSpec spec)
    {
        var (config, formats) = (checkpoint.Config, _formats.OfLatentUp(spec));
        return Matrix(formats.Up, spec.Shape.Rows, spec.Shape.Columns)
            + config.Heads * (Matrix(formats.Keys, config.LatentRank, config.NopeWidth) + Matrix(formats.Values, config.ValueWidth, config.LatentRank));
    }

    // Matrices that lie over one another are held as one, in one format.
    private long Stacked(TensorSpec spec)
    {
        TensorSpec[] together = [spec];
        foreach (var (upper, lower) in _stacked)
        {
            if (upper == TensorRole.QueryDown && !checkpoint.Config.HasQueryLatent) continue;
            if (spec.Role == lower) return 0;
            if (spec.Role == upper) together = [spec, checkpoint.Catalog.Get(lower, spec.Layer, spec.Expert)];
        }

        return Matrix(_formats.Of(spec.Role, together.Select(s => s.Name)), together.Sum(s => s.Shape.Rows), spec.Shape.Columns);
    }

    private long Matrix(WeightFormat format, long outputs, long inputs)
    {
        using var packed = backend.CreatePacked(format, 1, checked((int)outputs), checked((int)inputs));
        return packed.MatrixBytes;
    }
}
