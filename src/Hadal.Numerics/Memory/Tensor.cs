namespace Hadal.Numerics;

/// <summary>A handle on rows of elements in a <see cref="Storage"/>: element type, shape, and the distance between rows.</summary>
/// <remarks>
/// Elements of the innermost dimension lie side by side; rows (all outer dimensions taken together) lie <see cref="RowStride"/> elements apart. That is
/// enough for every view the model needs (a range of rows, a range of columns, one expert of a stack) and lets each operation be written over rows.
/// A value type: making views allocates nothing. The default value is "no tensor" (<see cref="IsEmpty"/>).
/// </remarks>
public readonly struct Tensor
{
    internal Tensor(Storage storage, long byteOffset, DType type, Shape shape, long rowStride)
    {
        Storage = storage;
        ByteOffset = byteOffset;
        Type = type;
        Shape = shape;
        RowStride = rowStride;
    }

    /// <summary>The memory that holds the elements.</summary>
    public Storage Storage { get; }

    /// <summary>Where the first element starts in <see cref="Storage"/>, in bytes.</summary>
    public long ByteOffset { get; }

    /// <summary>Element type.</summary>
    public DType Type { get; }

    /// <summary>Lengths of the dimensions.</summary>
    public Shape Shape { get; }

    /// <summary>Elements between the starts of neighbouring rows; equal to <see cref="Columns"/> when contiguous.</summary>
    public long RowStride { get; }

    /// <summary>True for the default value: no tensor at all.</summary>
    public bool IsEmpty => Storage is null;

    /// <summary>Product of all dimensions but the last.</summary>
    public int Rows => checked((int)Shape.Rows);

    /// <summary>Length of the last dimension.</summary>
    public int Columns => checked((int)Shape.Columns);

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Count;

    /// <summary>True if the elements lie side by side without gaps.</summary>
    public bool IsContiguous => RowStride == Shape.Columns || Shape.Rows <= 1;

    /// <summary>A range of rows as a two-dimensional view [count, columns].</summary>
    /// <param name="start">First row.</param>
    /// <param name="count">How many.</param>
    /// <returns>The view.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside.</exception>
    public Tensor RowRange(long start, long count)
    {
        if (start < 0 || count < 0 || start > Shape.Rows - count)
            throw new ArgumentOutOfRangeException(nameof(start), $"Rows {start}..{start + count} are not in {this}.");
        return new Tensor(Storage, ByteOffset + start * RowStride * Type.SizeOf(), Type, new Shape(count, Shape.Columns), RowStride);
    }

    /// <summary>A part of a contiguous tensor as a vector.</summary>
    /// <param name="start">First element.</param>
    /// <param name="count">How many.</param>
    /// <returns>A view.</returns>
    public Tensor ElementRange(long start, long count) => Reshape(new Shape(Count, 1)).RowRange(start, count).Reshape(new Shape(count));

    /// <summary>A range of columns of every row as a two-dimensional view [rows, count].</summary>
    /// <param name="start">First column.</param>
    /// <param name="count">How many.</param>
    /// <returns>The view.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside.</exception>
    public Tensor ColumnRange(long start, long count)
    {
        if (start < 0 || count < 0 || start > Shape.Columns - count)
            throw new ArgumentOutOfRangeException(nameof(start), $"Columns {start}..{start + count} are not in {this}.");
        return new Tensor(Storage, ByteOffset + start * Type.SizeOf(), Type, new Shape(Shape.Rows, count), RowStride);
    }

    /// <summary>One slice along the outermost dimension of a three-dimensional tensor: [d1, d2].</summary>
    /// <param name="index">Which.</param>
    /// <returns>The view.</returns>
    public Tensor Slice(long index)
    {
        if (Shape.Rank != 3) throw new InvalidOperationException($"Only a tensor of three dimensions can be sliced, not {this}.");
        return RowRange(index * Shape[1], Shape[1]);
    }

    /// <summary>The same elements under another shape.</summary>
    /// <param name="shape">As many elements as now; a view with gaps between rows may only change how its rows are counted.</param>
    /// <returns>The view.</returns>
    /// <exception cref="ArgumentException">The number of elements differs, or the rows have gaps and the row length changes.</exception>
    public Tensor Reshape(Shape shape)
    {
        if (shape.Count != Shape.Count) throw new ArgumentException($"{this} cannot become {shape}: it has {Shape.Count} elements.");
        if (IsContiguous) return new Tensor(Storage, ByteOffset, Type, shape, shape.Columns);
        return shape.Columns == Shape.Columns
            ? new Tensor(Storage, ByteOffset, Type, shape, RowStride)
            : throw new ArgumentException($"{this} has gaps between its rows and cannot become {shape}.");
    }

    /// <summary>Type and shape, as messages show them.</summary>
    /// <returns>For instance <c>F32 [2, 3]</c>.</returns>
    public override string ToString() => IsEmpty ? "no tensor" : $"{Type} {Shape}";
}
