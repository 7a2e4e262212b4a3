using System.Runtime.CompilerServices;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Write(ReadOnlySpan<float> values, Tensor destination)
    {
        bool isShort = destination.Type == DType.BF16;
        RequireWritable(destination, isShort ? DType.BF16 : DType.F32, values.Length);
        if (isShort) BFloat16.FromSingle(values, new Span<ushort>(Address(destination), values.Length));
        else values.CopyTo(new Span<float>(Address(destination), values.Length));
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<int> values, Tensor destination)
    {
        RequireWritable(destination, DType.I32, values.Length);
        values.CopyTo(new Span<int>(Address(destination), values.Length));
    }

    /// <inheritdoc/>
    public void Read(Tensor source, Span<float> values)
    {
        if (source.Type != DType.BF16)
        {
            ReadRows(source, DType.F32, values);
            return;
        }

        Require(source.IsContiguous && source.Count == values.Length, nameof(Read), source, $"has to be contiguous with {values.Length} elements");
        BFloat16.ToSingle(new ReadOnlySpan<ushort>(Address(source), values.Length), values);
    }

    /// <inheritdoc/>
    public void Read(Tensor source, Span<int> values) => ReadRows(source, DType.I32, values);

    /// <inheritdoc/>
    public void Clear(Tensor x)
    {
        nuint size = (nuint)x.Type.SizeOf();
        for (int r = 0; r < x.Rows; r++)
        {
            if (x.IsContiguous)
            {
                System.Runtime.InteropServices.NativeMemory.Clear(Address(x), (nuint)x.Count * size);
                return;
            }

            System.Runtime.InteropServices.NativeMemory.Clear(Address(x) + (nint)(r * x.RowStride) * (nint)size, (nuint)x.Columns * size);
        }
    }

    /// <inheritdoc/>
    public void Copy(Tensor x, Tensor y)
    {
        RequireShape(y, x.Rows, x.Columns);
        int columns = x.Columns;
        for (int r = 0; r < x.Rows; r++)
        {
            byte* from = Address(x) + (nint)(r * x.RowStride) * x.Type.SizeOf();
            byte* to = Address(y) + (nint)(r * y.RowStride) * y.Type.SizeOf();
            if (x.Type == y.Type) Buffer.MemoryCopy(from, to, (long)columns * x.Type.SizeOf(), (long)columns * x.Type.SizeOf());
            else if ((x.Type, y.Type) == (DType.F32, DType.BF16)) BFloat16.FromSingle(new ReadOnlySpan<float>(from, columns), new Span<ushort>(to, columns));
            else if ((x.Type, y.Type) == (DType.BF16, DType.F32)) BFloat16.ToSingle(new ReadOnlySpan<ushort>(from, columns), new Span<float>(to, columns));
            else Refuse(nameof(Copy), x, $"cannot be converted to {y.Type}");
        }
    }

    private static void ReadRows<T>(Tensor source, DType type, Span<T> values, [CallerMemberName] string operation = "") where T : unmanaged
    {
        Require(source.Type == type && source.Count == values.Length, operation, source, $"has to be {type} with {values.Length} elements");
        int columns = source.Columns;
        for (int r = 0; r < source.Rows; r++)
        {
            new ReadOnlySpan<T>((T*)Address(source) + (nint)(r * source.RowStride), columns).CopyTo(values.Slice(r * columns, columns));
        }
    }

    private static void RequireWritable(Tensor t, DType type, int count) => Require(
        t.Type == type && t.IsContiguous && t.Count == count && !t.Storage.IsReadOnly, nameof(Write), t, $"has to be writable contiguous {type} with {count} elements");

    /// <inheritdoc/>
    public void Transpose(Tensor x, Tensor y)
    {
        RequireShape(y, x.Columns, x.Rows);
        Require(x.Type == y.Type, nameof(Transpose), y, $"has to be {x.Type}");
        int size = x.Type.SizeOf();
        byte* from = Address(x), to = Address(y);
        nint fromStride = (nint)x.RowStride * size, toStride = (nint)y.RowStride * size;
        for (int row = 0; row < x.Rows; row++)
        {
            for (int column = 0; column < x.Columns; column++)
                Unsafe.CopyBlockUnaligned(to + column * toStride + row * size, from + row * fromStride + column * size, (uint)size);
        }
    }
}
