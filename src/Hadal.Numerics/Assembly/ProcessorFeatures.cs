using System.Runtime.Intrinsics.X86;

namespace Hadal.Numerics.Assembly;

/// <summary>Instructions that kernels are assembled for, as CPUID tells them (Intel's Software Developer's Manual, volume 2A).</summary>
internal static class ProcessorFeatures
{
    private static readonly (int Eax, int Ebx, int Ecx, int Edx) _leaf1 = Leaf(1, 0);
    private static readonly (int Eax, int Ebx, int Ecx, int Edx) _leaf7 = Leaf(7, 0);
    private static readonly (int Eax, int Ebx, int Ecx, int Edx) _leaf71 = Leaf(7, 1);

    // The JIT has checked that the operating system saves the registers before it says that AVX-512 is supported.
    private static readonly bool _hasAvx512 = Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported;

    /// <summary>The instructions that every processor with AVX-512 for vectors of bytes, words and floats has.</summary>
    public static bool HasAvx512 => _hasAvx512;

    /// <summary>VPDPBF16PS on 512-bit registers: pairs of bfloat16 products added to FP32.</summary>
    public static bool HasBFloat16Dot512 => _hasAvx512 && Bit(_leaf71.Eax, 5);

    /// <summary>VPDPBUSD on 512-bit registers: four products of unsigned and signed bytes added to 32-bit integers.</summary>
    public static bool HasByteDot512 => _hasAvx512 && Bit(_leaf7.Ecx, 11);

    /// <summary>VPERMI2B: a lookup in 128 bytes.</summary>
    public static bool HasByteLookup512 => _hasAvx512 && Avx512Vbmi.IsSupported;

    /// <summary>AVX2, fused multiply-adds and conversion from FP16 on 256-bit registers: what every processor for desktops has had since 2013 or 2015.</summary>
    public static bool HasFused256 => Avx2.IsSupported && Fma.IsSupported && Bit(_leaf1.Ecx, 29);

    /// <summary>VPDPBUSD on 256-bit registers, in the encoding of processors without AVX-512 (AVX-VNNI).</summary>
    public static bool HasByteDot256 => HasFused256 && Bit(_leaf71.Eax, 4);

    private static bool Bit(int register, int bit) => (register >> bit & 1) != 0;

    private static (int Eax, int Ebx, int Ecx, int Edx) Leaf(int leaf, int subleaf)
    {
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < leaf) return default;
        return leaf == 7 && subleaf > X86Base.CpuId(leaf, 0).Eax ? default : X86Base.CpuId(leaf, subleaf);
    }
}
