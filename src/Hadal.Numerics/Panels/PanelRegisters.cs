using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Kernels;

/// <summary>Where the panel kernels find their operands, whatever the width of their vectors: rax panel 0, rdx bytes between panels, rcx three times that; r8 … r11 rows 0, 3, 6, 9 of the
/// activations, rsi bytes between them.</summary>
internal static class PanelRegisters
{
    /// <summary>Bytes of a panel that are fetched ahead of use when weights come from memory.</summary>
    public const int PrefetchDistance = 1536;

    /// <summary>The place in a panel that the kernel has come to.</summary>
    public static AssemblerMemoryOperand Panel(int panel) => panel switch
    {
        0 => __[rax],
        1 => __[rax + rdx],
        2 => __[rax + rdx * 2],
        _ => __[rax + rcx],
    };

    /// <summary>The place in a row that the kernel has come to.</summary>
    public static AssemblerMemoryOperand Left(int row)
    {
        var start = (row / 3) switch { 0 => r8, 1 => r9, 2 => r10, _ => r11 };
        return (row % 3) switch { 0 => __[start], 1 => __[start + rsi], _ => __[start + rsi * 2] };
    }
}
