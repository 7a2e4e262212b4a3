namespace Hadal.Numerics.Kernels;

/// <summary>How a kernel is written for the processor. All forms give the same bits; they differ in speed alone.</summary>
internal enum KernelForm
{
    /// <summary>Scalar code that reads like the formula.</summary>
    Reference,

    /// <summary>Registers of 128 bits.</summary>
    Vector128,

    /// <summary>Registers of 256 bits.</summary>
    Vector256,

    /// <summary>As <see cref="Vector256"/>; products of coded weights by kernels assembled for AVX2, FMA and F16C.</summary>
    Assembled256Plain,

    /// <summary>As <see cref="Assembled256Plain"/>, products of bytes and nibbles by AVX-VNNI.</summary>
    Assembled256,

    /// <summary>Registers of 512 bits.</summary>
    Vector512,

    /// <summary>
    /// Registers of 512 bits; products of coded weights (<see cref="PanelGemm"/>) by kernels assembled for the processor, which where AVX-512 lacks a dot product are those of
    /// <see cref="Assembled256"/>.
    /// </summary>
    Assembled512,
}
