namespace Hadal.Model.Checkpoints;

/// <summary>How the weights of a GGUF file are stored, after llama.cpp's conventions: norms, routers and their biases are F32 in all of them.</summary>
public enum GgufWeights
{
    /// <summary>Everything F32.</summary>
    F32,

    /// <summary>Matrices F16.</summary>
    F16,

    /// <summary>Matrices BF16.</summary>
    BF16,

    /// <summary>Matrices Q8_0 (8.5 bits for each weight).</summary>
    Q80,

    /// <summary>Matrices Q4_0 (4.5 bits), the output head Q6_K.</summary>
    Q40,

    /// <summary>A mixture of Q4_K and, for the output head and the down projections of about half of the layers, Q6_K.</summary>
    Q4KM,
}
