using System.Runtime.Intrinsics;
using Hadal.Numerics.Assembly;

namespace Hadal.Numerics.Kernels;

/// <summary>Which forms this machine has, and the one in use.</summary>
internal static class KernelForms
{
    /// <summary>The environment variable that picks a form by name: <c>reference</c>, <c>vector128</c>, <c>vector256</c>, <c>assembled256plain</c>, <c>assembled256</c>, <c>vector512</c>, <c>assembled512</c> or <c>assembled512+tiles</c>.</summary>
    public const string Variable = "HADAL_KERNELS";

    private static readonly KernelForm[] _available = Find(ExecutableMemory.Refusal);
    private static (KernelForm Form, TileUse Tiles)? _current;

    /// <summary>Forms that run in hardware here, fastest first; the reference comes last.</summary>
    public static IReadOnlyList<KernelForm> Available => _available;

    /// <summary>The form that kernels use when none is asked for: what <see cref="Variable"/> names, otherwise the fastest.</summary>
    /// <exception cref="PlatformNotSupportedException">The variable names no form, or one that this machine lacks.</exception>
    public static KernelForm Current => FromVariable.Form;

    /// <summary>What may be multiplied on tiles beside the current form.</summary>
    /// <exception cref="PlatformNotSupportedException">As for <see cref="Current"/>.</exception>
    public static TileUse CurrentTiles => FromVariable.Tiles;

    private static (KernelForm Form, TileUse Tiles) FromVariable => _current ??= ChooseWithTiles(Environment.GetEnvironmentVariable(Variable), () => TileFeatures.BFloat16Refusal);

    /// <summary>The form of a given name; null or empty means the fastest.</summary>
    public static KernelForm Choose(string? name) => ChooseWithTiles(name, () => TileFeatures.BFloat16Refusal).Form;

    /// <summary>The form of a given name and the use of tiles: bytes if there is no name, everything if the name says so.</summary>
    /// <param name="name">Null or empty for the fastest.</param>
    /// <param name="tileRefusal">Looks why there are no tiles of bfloat16; null if there are. Called only if the name asks for them.</param>
    /// <exception cref="PlatformNotSupportedException">There is no such form here.</exception>
    public static (KernelForm Form, TileUse Tiles) ChooseWithTiles(string? name, Func<string?> tileRefusal)
    {
        if (string.IsNullOrEmpty(name)) return (_available[0], TileUse.Bytes);
        foreach (var form in _available)
        {
            if (Name(form).Equals(name, StringComparison.OrdinalIgnoreCase)) return (form, TileUse.None);
        }

        if ($"{Name(KernelForm.Assembled512)}+tiles".Equals(name, StringComparison.OrdinalIgnoreCase) && _available.Contains(KernelForm.Assembled512))
        {
            return tileRefusal() is not { } refusal
                ? (KernelForm.Assembled512, TileUse.All)
                : throw new PlatformNotSupportedException($"{Variable} is \"{name}\", which cannot be used here: {refusal}.");
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
        if ((ProcessorFeatures.HasByteDot512 || ProcessorFeatures.HasFused256 && Vector512.IsHardwareAccelerated) && refusal is null) forms.Add(KernelForm.Assembled512);
        if (Vector512.IsHardwareAccelerated) forms.Add(KernelForm.Vector512);
        if (ProcessorFeatures.HasByteDot256 && refusal is null) forms.Add(KernelForm.Assembled256);
        if (ProcessorFeatures.HasFused256 && refusal is null) forms.Add(KernelForm.Assembled256Plain);
        if (Vector256.IsHardwareAccelerated) forms.Add(KernelForm.Vector256);
        if (Vector128.IsHardwareAccelerated) forms.Add(KernelForm.Vector128);
        forms.Add(KernelForm.Reference);
        return [.. forms];
    }
}
