using System.Runtime.Intrinsics;
using Hadal.Numerics.Assembly;

namespace Hadal.Numerics.Kernels;

/// <summary>Which forms this machine has, and the one in use.</summary>
internal static class KernelForms
{
    /// <summary>The environment variable that picks a form by name: <c>reference</c>, <c>vector128</c>, <c>vector256</c>, <c>assembled256plain</c>, <c>assembled256</c>, <c>vector512</c> or <c>assembled512</c>.</summary>
    public const string Variable = "HADAL_KERNELS";

    private static readonly KernelForm[] _available = Find(ExecutableMemory.Refusal);
    private static KernelForm? _current;

    /// <summary>Forms that run in hardware here, fastest first; the reference comes last.</summary>
    public static IReadOnlyList<KernelForm> Available => _available;

    /// <summary>The form that kernels use when none is asked for: what <see cref="Variable"/> names, otherwise the fastest.</summary>
    /// <exception cref="PlatformNotSupportedException">The variable names no form, or one that this machine lacks.</exception>
    public static KernelForm Current => _current ??= Choose(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The form of a given name; null or empty means the fastest.</summary>
    public static KernelForm Choose(string? name)
    {
        if (string.IsNullOrEmpty(name)) return _available[0];
        foreach (var form in _available)
        {
            if (Name(form).Equals(name, StringComparison.OrdinalIgnoreCase)) return form;
        }

        throw new PlatformNotSupportedException($"{Variable} is \"{name}\"; this machine has {string.Join(", ", _available.Select(Name))}.");
    }

    /// <summary>The name that <see cref="Variable"/> uses.</summary>
    public static string Name(KernelForm form) => form switch
    {
        KernelForm.Assembled512 => "assembled512",
        KernelForm.Vector512 => "vector512",
        KernelForm.Assembled256 => "assembled256",
        KernelForm.Assembled256Plain => "assembled256plain",
        KernelForm.Vector256 => "vector256",
        KernelForm.Vector128 => "vector128",
        _ => "reference",
    };

    /// <summary>The forms of this processor, fastest first.</summary>
    /// <param name="refusal">Why machine code cannot be placed: then there are no assembled forms. Null if it can.</param>
    public static KernelForm[] Find(string? refusal)
    {
        var forms = new List<KernelForm>();
        if (ProcessorFeatures.HasByteDot512 && refusal is null) forms.Add(KernelForm.Assembled512);
        if (Vector512.IsHardwareAccelerated) forms.Add(KernelForm.Vector512);
        if (ProcessorFeatures.HasByteDot256 && refusal is null) forms.Add(KernelForm.Assembled256);
        if (ProcessorFeatures.HasFused256 && refusal is null) forms.Add(KernelForm.Assembled256Plain);
        if (Vector256.IsHardwareAccelerated) forms.Add(KernelForm.Vector256);
        if (Vector128.IsHardwareAccelerated) forms.Add(KernelForm.Vector128);
        forms.Add(KernelForm.Reference);
        return [.. forms];
    }
}
