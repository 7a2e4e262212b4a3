namespace Hadal.Numerics;

/// <summary>A block of memory that a backend can compute on. Tensors are views into it.</summary>
/// <remarks>Owned by whoever made it (an <see cref="Arena"/>, a checkpoint, a parameter set); views do not keep it alive.</remarks>
public abstract class Storage : IDisposable
{
    /// <summary>Length in bytes.</summary>
    public abstract long ByteLength { get; }

    /// <summary>True if operations must not write here (a mapped checkpoint file).</summary>
    public virtual bool IsReadOnly => false;

    /// <summary>A contiguous tensor over part of this storage.</summary>
    /// <param name="byteOffset">Where the first element starts; a multiple of the element size.</param>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Dimensions.</param>
    /// <returns>The view.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The view would reach outside the storage.</exception>
    public Tensor View(long byteOffset, DType type, Shape shape)
    {
        long bytes = checked(shape.Count * type.SizeOf());
        if (byteOffset < 0 || byteOffset > ByteLength - bytes)
            throw new ArgumentOutOfRangeException(nameof(byteOffset), $"{type} {shape} at byte {byteOffset} does not fit in {ByteLength} bytes.");
        return new Tensor(this, byteOffset, type, shape, shape.Columns);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the memory.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>, false from a finalizer.</param>
    protected abstract void Dispose(bool disposing);
}
