using System.Runtime.InteropServices;
using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <summary>One named tensor of a <see cref="ModelTrace"/>, with a row for each position.</summary>
public sealed class TraceTensor
{
    private readonly float[] _values;
    private readonly int[] _integers;
    private int _filled;

    internal TraceTensor(string name, DType type, int rows, int columns)
    {
        (Name, Type, Rows, Columns) = (name, type, rows, columns);
        if ((long)rows * columns > Array.MaxLength)
        {
            throw new GenerationException(
                $"A trace of {rows} positions needs {(long)rows * columns} values for {name}, more than fit in an array; trace fewer tokens.");
        }

        _values = type == DType.F32 ? new float[rows * columns] : [];
        _integers = type == DType.I32 ? new int[rows * columns] : [];
    }

    /// <summary>For instance <c>hidden.3</c>.</summary>
    public string Name { get; }

    /// <summary>F32 or I32.</summary>
    public DType Type { get; }

    /// <summary>Positions.</summary>
    public int Rows { get; }

    /// <summary>Values per position.</summary>
    public int Columns { get; }

    /// <summary>[rows, columns] if the type is F32, else empty.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>[rows, columns] if the type is I32, else empty.</summary>
    public ReadOnlySpan<int> Integers => _integers;

    internal ReadOnlySpan<byte> Bytes => Type == DType.F32 ? MemoryMarshal.AsBytes(Values) : MemoryMarshal.AsBytes(Integers);

    internal void Append(IBackend backend, Tensor rows)
    {
        int count = checked((int)rows.Count);
        if (Type == DType.F32) backend.Read(rows, _values.AsSpan(_filled, count));
        else backend.Read(rows, _integers.AsSpan(_filled, count));
        _filled += count;
    }
}
