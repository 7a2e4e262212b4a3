using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Inference.Weights;

/// <summary>Decides in which format each matrix is held.</summary>
internal sealed class WeightFormats(Checkpoint checkpoint, WeightFormat? wanted)
{
    // Panels of FP8 have a scale per so many k; the checkpoint's blocks have to be made of whole ones.
    private const int ScaleDepth = 128;

    /// <summary>The format of matrices that are multiplied together or lie over one another.</summary>
    /// <param name="role">What they are.</param>
    /// <param name="names">Their tensors.</param>
    public WeightFormat Of(TensorRole role, IEnumerable<string> names)
    {
        if (role == TensorRole.Router) return WeightFormat.F32;
        // Of a checkpoint in FP8 the matrices that are not stay as they are.
        if (wanted is WeightFormat.Fp8 or WeightFormat.Fp8W8A8 && KeepsFp8) return Stored(names) is WeightFormat.Fp8 ? wanted.Value : Stored(names);
        if (wanted is { } format) return format == WeightFormat.FourBit && role is TensorRole.Head or TensorRole.LatentUp ? WeightFormat.EightBit : format;
        return Stored(names);
    }

    /// <summary>Formats of the key-value up-projection: as a whole, for prompts, and its keys (turned over) and values cut by heads, for decoding. Where activations are
    /// coded in FP8 they are not here, as in the official code, which absorbs it.</summary>
    public LatentUpFormats OfLatentUp(TensorSpec spec)
    {
        if (LatentBlocks(spec.Layer) is { } blocks) return new(WeightFormat.BF16, Of(blocks.Keys), Of(blocks.Values));
        var format = Of(TensorRole.LatentUp, [spec.Name]) is var wantedFormat and not WeightFormat.Fp8W8A8 ? wantedFormat : WeightFormat.F32;
        // FP8 codes can be turned over if no block of scales reaches over a head's keys or values; else the products with single heads are in FP32.
        var perHead = KeepsLatentCodes(spec, format) && !IsLatentAligned ? WeightFormat.F32 : format;
        return new(format, perHead, perHead);
    }

    /// <summary>Block formats of the two parts that a GGUF file has, if they are kept.</summary>
    public (BlockFormat Keys, BlockFormat Values)? LatentBlocks(int layer)
    {
        if (wanted is not null || !checkpoint.IsGguf) return null;
        var (keyName, valueName) = LatentParts(layer);
        if (!checkpoint.Contains(keyName) || !checkpoint.Contains(valueName)) return null;
        return checkpoint.Get(keyName).Blocks is { } keys && checkpoint.Get(valueName).Blocks is { } values ? (keys, values) : null;
    }

    /// <summary>The names of those two parts.</summary>
    public static (string Keys, string Values) LatentParts(int layer) => ($"blk.{layer}.attn_k_b.weight", $"blk.{layer}.attn_v_b.weight");

    /// <summary>Whether FP8 codes of the key-value up-projection stay as they are.</summary>
    public bool KeepsLatentCodes(TensorSpec spec, WeightFormat format) => checkpoint.Get(spec.Name).Type == DType.F8E4M3 && format == WeightFormat.Fp8;

    /// <summary>Whether heads of the key-value up-projection start where blocks of scales do.</summary>
    public bool IsLatentAligned => checkpoint.Config is var config && config.NopeWidth % Blocks.BlockRows == 0 && config.ValueWidth % Blocks.BlockRows == 0
        && config.NopeWidth % ScaleDepth == 0 && config.LatentRank % Blocks.BlockColumns == 0;

    /// <summary>Whether FP8 codes can be used as they are: their scale blocks are wide enough.</summary>
    public bool KeepsFp8 => checkpoint.Config.Quantization is { } blocks && blocks.BlockColumns % ScaleDepth == 0;

    /// <summary>Blocks of scales.</summary>
    public BlockQuantization Blocks => checkpoint.Config.Quantization ?? new BlockQuantization();

    /// <summary>The format in which blocks of a GGUF file are held as they are.</summary>
    public static WeightFormat Of(BlockFormat blocks) => blocks switch
    {
        BlockFormat.Q80 => WeightFormat.Q80,
        BlockFormat.Q50 => WeightFormat.Q50,
        BlockFormat.Q40 => WeightFormat.Q40,
        BlockFormat.Q6K => WeightFormat.Q6K,
        BlockFormat.Q5K => WeightFormat.Q5K,
        _ => WeightFormat.Q4K,
    };

    private WeightFormat Stored(IEnumerable<string> names)
    {
        if (SameBlocks(names) is { } blocks) return Of(blocks);
        bool narrow = true, half = true, fp8 = KeepsFp8;
        foreach (string name in names)
        {
            var type = checkpoint.Get(name).Type;
            narrow &= type == DType.BF16;
            half &= type == DType.F16;
            fp8 &= type == DType.F8E4M3;
        }

        return narrow ? WeightFormat.BF16 : half ? WeightFormat.F16 : fp8 ? WeightFormat.Fp8 : WeightFormat.F32;
    }

    private BlockFormat? SameBlocks(IEnumerable<string> names)
    {
        BlockFormat? first = null;
        foreach (string name in names)
        {
            if (checkpoint.Get(name).Blocks is not { } blocks || (first ?? blocks) != blocks) return null;
            first = blocks;
        }

        return first;
    }
}

/// <summary>How the key-value up-projection is held.</summary>
/// <param name="Up">All of it, [heads · (nope + value), latent].</param>
/// <param name="Keys">Each head's keys, [latent, nope].</param>
/// <param name="Values">Each head's values, [value, latent].</param>
internal readonly record struct LatentUpFormats(WeightFormat Up, WeightFormat Keys, WeightFormat Values);
