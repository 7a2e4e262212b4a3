using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

/// <summary>How rows of a latent cache are laid out.</summary>
public static class LatentFormat
{
    /// <summary>Whether a latent cache can be kept in a type.</summary>
    /// <param name="type">The type.</param>
    /// <returns>True for F32, BF16 and F8E4M3.</returns>
    public static bool Supports(DType type) => type is DType.F32 or DType.BF16 or DType.F8E4M3;

    /// <summary>Columns of a row, in elements of the type.</summary>
    /// <remarks>
    /// F32 and BF16: the latent, then the rope key. F8E4M3, in bytes: the latent's codes, zeros to a multiple of four, a scale (FP32) per 128 latent columns, the rope key in
    /// BF16, zeros to a multiple of four.
    /// </remarks>
    /// <param name="type">F32, BF16 or F8E4M3.</param>
    /// <param name="rank">Width of the latent, at least 1.</param>
    /// <param name="rope">Width of the rope key, at least 0.</param>
    /// <returns>The number of columns.</returns>
    /// <exception cref="ArgumentException">Another type.</exception>
    public static int Columns(DType type, int rank, int rope) => Supports(type)
        ? LatentShape.CacheColumns(type, rank, rope)
        : throw new ArgumentException($"A latent cache holds F32, BF16 or F8E4M3, not {type}.", nameof(type));
}
