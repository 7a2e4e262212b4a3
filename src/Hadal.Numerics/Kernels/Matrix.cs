using System.Runtime.CompilerServices;

namespace Hadal.Numerics.Kernels;

/// <summary>A tensor as kernels see it: rows of FP32 at a pointer.</summary>
internal readonly unsafe struct Matrix(float* pointer, int rows, int columns, nint stride)
{
    public readonly float* Pointer = pointer;
    public readonly int Rows = rows;
    public readonly int Columns = columns;
    public readonly nint Stride = stride;

    public bool IsEmpty => Pointer is null;

    /// <summary>First element of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float* Row(int row) => Pointer + row * Stride;
}
