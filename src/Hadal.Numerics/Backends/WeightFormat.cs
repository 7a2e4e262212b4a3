namespace Hadal.Numerics;

/// <summary>How arranged weights are held in memory, and with it how products with them are computed.</summary>
public enum WeightFormat
{
    /// <summary>FP32; activations FP32.</summary>
    F32,

    /// <summary>bfloat16; activations are rounded to bfloat16, sums are FP32.</summary>
    BF16,

    /// <summary>FP16, widened in registers (exact); activations FP32: the results have the bits of the same weights in FP32. Larger values than 65,504 become that.</summary>
    F16,

    /// <summary>FP8 E4M3 with an FP32 scale per 128 k (as stored, or amax / 448 for weights that are coded at loading); activations are rounded to bfloat16: the weights are exact.</summary>
    Fp8,

    /// <summary>As <see cref="Fp8"/>, with activations coded in E4M3 per row and 128 k as well (report section 3.3.2).</summary>
    Fp8W8A8,

    /// <summary>Signed bytes with an FP32 scale per 128 k; activations are coded in signed bytes per row and 128 k. 8.25 bits per weight.</summary>
    EightBit,

    /// <summary>Four bits with an FP16 scale per 32 k; activations are coded in signed bytes per row and 32 k. 4.5 bits per weight.</summary>
    FourBit,

    /// <summary>GGUF's Q8_0 as stored: signed bytes, an FP16 scale per 32 k. As with all formats of blocks that follow, activations are coded in signed bytes
    /// per row and block.</summary>
    Q80,

    /// <summary>GGUF's Q5_0: five bits, held in bytes, an FP16 scale per 32 k.</summary>
    Q50,

    /// <summary>GGUF's Q4_0: four bits, an FP16 scale per 32 k.</summary>
    Q40,

    /// <summary>GGUF's Q6_K: six bits, a scale of a byte per 16 k, an FP16 factor per 256. 6.625 bits per weight.</summary>
    Q6K,

    /// <summary>GGUF's Q5_K: five bits, scale and minimum of a byte per 32 k, FP16 factors per 256. 5.625 bits per weight.</summary>
    Q5K,

    /// <summary>GGUF's Q4_K: four bits, otherwise as <see cref="Q5K"/>. 4.625 bits per weight.</summary>
    Q4K,
}
