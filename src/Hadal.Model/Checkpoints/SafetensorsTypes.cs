using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>Element types as the safetensors format writes them.</summary>
public static class SafetensorsTypes
{
    private static readonly (DType Type, string Name)[] _names =
    [
        (DType.F32, "F32"), (DType.BF16, "BF16"), (DType.F16, "F16"), (DType.F64, "F64"),
        (DType.F8E4M3, "F8_E4M3"), (DType.F8E5M2, "F8_E5M2"), (DType.F8E8M0, "F8_E8M0"),
        (DType.I8, "I8"), (DType.U8, "U8"), (DType.I16, "I16"), (DType.U16, "U16"), (DType.I32, "I32"), (DType.U32, "U32"),
        (DType.I64, "I64"), (DType.U64, "U64"), (DType.Bool, "BOOL"),
    ];

    /// <summary>The name of a type in a safetensors header.</summary>
    /// <param name="type">The type.</param>
    /// <returns>For instance <c>F8_E4M3</c>.</returns>
    public static string SafetensorsName(this DType type)
    {
        foreach (var (known, name) in _names)
        {
            if (known == type) return name;
        }

        throw new ArgumentOutOfRangeException(nameof(type), type, "The safetensors format has no such type.");
    }

    internal static DType? Parse(string text)
    {
        foreach (var (type, name) in _names)
        {
            if (name == text) return type;
        }

        return null;
    }
}
