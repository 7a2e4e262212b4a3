using Hadal.Numerics;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>Which type each tensor gets: the choices that llama.cpp's converter and quantiser make for <c>deepseek2</c>.</summary>
/// <param name="weights">What is asked for.</param>
/// <param name="blocks">Layers of the file, MTP layers included.</param>
/// <param name="experts">Routed experts.</param>
internal sealed class GgufTypeRules(GgufWeights weights, int blocks, int experts)
{
    /// <summary>The code that stands under <c>general.file_type</c>.</summary>
    public uint FileType => weights switch
    {
        GgufWeights.F32 => 0,
        GgufWeights.F16 => 1,
        GgufWeights.Q40 => 2,
        GgufWeights.Q80 => 7,
        GgufWeights.Q4KM => 15,
        GgufWeights.BF16 => 32,
        _ => throw new ArgumentOutOfRangeException(nameof(weights), weights, "There is no such choice."),
    };

    public bool IsQuantised => weights is GgufWeights.Q40 or GgufWeights.Q80 or GgufWeights.Q4KM;

    /// <summary>The type of a tensor.</summary>
    /// <param name="name">Its GGUF name.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="layer">Its layer; -1 outside the layers.</param>
    public GgufTensorType Choose(string name, Shape shape, int layer)
    {
        bool plain = shape.Rank < 2 || !name.EndsWith("weight", StringComparison.Ordinal) || name.Contains("_norm.weight", StringComparison.Ordinal)
            || name.Contains("ffn_gate_inp.weight", StringComparison.Ordinal);
        if (plain) return GgufTensorType.F32;
        return weights switch
        {
            GgufWeights.F32 => GgufTensorType.F32,
            GgufWeights.F16 => GgufTensorType.F16,
            GgufWeights.BF16 => GgufTensorType.BF16,
            GgufWeights.Q80 => Fitting(GgufTensorType.Q80, shape.Columns),
            GgufWeights.Q40 => Fitting(name == GgufNames.Head ? GgufTensorType.Q6K : GgufTensorType.Q40, shape.Columns),
            _ => Fitting(Mixed(name, layer), shape.Columns),
        };
    }

    // The mixture M: six bits for the head and for the down projections of the first and the last eighth of the layers and every third between;
    // models with exactly eight experts have five bits in the attention output.
    private GgufTensorType Mixed(string name, int layer)
    {
        if (name == GgufNames.Head) return GgufTensorType.Q6K;
        if (name.Contains("ffn_down", StringComparison.Ordinal) && NeedsMoreBits(layer)) return GgufTensorType.Q6K;
        return experts == 8 && name.Contains("attn_output", StringComparison.Ordinal) ? GgufTensorType.Q5K : GgufTensorType.Q4K;
    }

    private bool NeedsMoreBits(int layer) => layer < blocks / 8 || layer >= 7 * blocks / 8 || (layer - blocks / 8) % 3 == 2;

    // Rows that are no multiple of 256 get the next larger type of 32, and if that does not fit either, F16.
    private static GgufTensorType Fitting(GgufTensorType type, long columns)
    {
        if (columns % type.BlockElements == 0) return type;
        if (type == GgufTensorType.Q4K) return Fitting(GgufTensorType.Q50, columns);
        return type == GgufTensorType.Q6K || type == GgufTensorType.Q5K ? Fitting(GgufTensorType.Q80, columns) : GgufTensorType.F16;
    }
}
