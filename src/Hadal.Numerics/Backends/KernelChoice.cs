using Hadal.Numerics.Assembly;
using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

/// <summary>Which kernels compute on this machine, and why these.</summary>
/// <param name="Form">Their name, as the environment variable <c>HADAL_KERNELS</c> spells it.</param>
/// <param name="Assembled">Instructions that kernels are assembled for at run time, since .NET has no intrinsics for them; empty where the portable form runs.</param>
/// <param name="Reason">Why the portable form runs; null where kernels are assembled.</param>
/// <param name="Refusal">Why machine code cannot be placed on this system, whatever form runs; null if it can.</param>
public sealed record KernelChoice(string Form, IReadOnlyList<string> Assembled, string? Reason, string? Refusal)
{
    /// <summary>The choice in this process.</summary>
    /// <returns>What <see cref="CpuBackend"/> uses.</returns>
    /// <exception cref="PlatformNotSupportedException"><c>HADAL_KERNELS</c> names no form, or one that this machine lacks.</exception>
    public static KernelChoice Current() => Of(KernelForms.Current, ExecutableMemory.Refusal, ProcessorFeatures.HasByteDot512 || ProcessorFeatures.HasFused256);

    internal static KernelChoice Of(KernelForm form, string? refusal, bool hasInstructions)
    {
        string name = KernelForms.Name(form);
        string[] instructions = [.. Instructions(form)];
        if (instructions.Length > 0) return new KernelChoice(name, instructions, null, refusal);
        string reason = !hasInstructions ? "this processor has none of the instructions that kernels are assembled for (AVX512_VNNI, or AVX2 with FMA and F16C)"
            : refusal is not null ? $"machine code cannot be placed: {refusal}"
            : $"{KernelForms.Variable} asks for it";
        return new KernelChoice(name, [], reason, refusal);
    }

    private static IEnumerable<string> Instructions(KernelForm form)
    {
        if (form == KernelForm.Assembled512)
        {
            if (ProcessorFeatures.HasByteDot512) yield return "AVX512_VNNI";
            if (ProcessorFeatures.HasBFloat16Dot512) yield return "AVX512_BF16";
            if (ProcessorFeatures.HasByteLookup512) yield return "AVX512_VBMI";
            if (PanelTiles.Refusal is null) yield return "AMX-INT8";
            if (PanelTiles.BFloat16Refusal is null) yield return "AMX-BF16";
        }

        bool isNarrow = form is KernelForm.Assembled256 or KernelForm.Assembled256Plain;
        if (isNarrow || form == KernelForm.Assembled512 && !(ProcessorFeatures.HasByteDot512 && ProcessorFeatures.HasBFloat16Dot512 && ProcessorFeatures.HasByteLookup512))
        {
            if (form != KernelForm.Assembled256Plain && ProcessorFeatures.HasByteDot256) yield return "AVX-VNNI";
            foreach (string name in new[] { "AVX2", "FMA", "F16C" }) yield return name;
        }
    }
}
