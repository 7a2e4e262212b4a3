namespace Hadal.Numerics;

/// <summary>Memory that is handed out piece by piece and taken back all at once: one arena holds the activations of one micro-batch.</summary>
/// <remarks>
/// Lifetime is structural: <see cref="Reset"/> forgets every tensor handed out before. After the first rounds the arena has as much memory as a round
/// needs and allocates no more. Contents of a fresh tensor are undefined (whatever the last round left). Not thread-safe.
/// </remarks>
public sealed class Arena : IDisposable
{
    private const long Alignment = 64;
    private readonly IBackend _backend;
    private readonly List<Storage> _blocks = [];
    private readonly long _blockBytes;
    private int _block;
    private long _offset, _before;

    /// <summary>An arena without memory yet.</summary>
    /// <param name="backend">Where the memory comes from.</param>
    /// <param name="blockBytes">Smallest piece asked from the backend at once, in bytes.</param>
    public Arena(IBackend backend, long blockBytes = 16L << 20) => (_backend, _blockBytes) = (backend, blockBytes);

    /// <summary>Bytes asked from the backend so far.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>The most bytes that have been handed out at a time.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>A contiguous tensor with undefined contents.</summary>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Dimensions.</param>
    /// <returns>A tensor that lives until <see cref="Reset"/> or <see cref="Release"/>.</returns>
    public Tensor Allocate(DType type, Shape shape)
    {
        long bytes = checked(shape.Count * type.SizeOf() + Alignment - 1) / Alignment * Alignment;
        while (_block < _blocks.Count && _offset + bytes > _blocks[_block].ByteLength)
        {
            _before += _blocks[_block].ByteLength;
            _block++;
            _offset = 0;
        }

        if (_block == _blocks.Count)
        {
            var storage = _backend.CreateStorage(Math.Max(bytes, _blockBytes));
            _blocks.Add(storage);
            ReservedBytes += storage.ByteLength;
        }

        var tensor = _blocks[_block].View(_offset, type, shape);
        _offset += bytes;
        PeakBytes = Math.Max(PeakBytes, _before + _offset);
        return tensor;
    }

    /// <summary>A contiguous FP32 matrix with undefined contents.</summary>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <returns>The tensor.</returns>
    public Tensor Matrix(long rows, long columns) => Allocate(DType.F32, new Shape(rows, columns));

    /// <summary>The present fill level, for <see cref="Release"/>.</summary>
    /// <returns>A mark.</returns>
    public Mark Save() => new(_block, _offset, _before);

    /// <summary>Takes back everything handed out since the mark was saved.</summary>
    /// <param name="mark">A mark of this arena, saved since the last <see cref="Reset"/>.</param>
    public void Release(Mark mark) => (_block, _offset, _before) = (mark.Block, mark.Offset, mark.Before);

    /// <summary>Takes back everything handed out; keeps the memory for the next round.</summary>
    public void Reset() => (_block, _offset, _before) = (0, 0, 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var block in _blocks) block.Dispose();
        _blocks.Clear();
        Reset();
    }

    /// <summary>A fill level of an <see cref="Arena"/>.</summary>
    /// <param name="Block">Index of the block in use.</param>
    /// <param name="Offset">Bytes used in it.</param>
    /// <param name="Before">Bytes of the blocks before it.</param>
    public readonly record struct Mark(int Block, long Offset, long Before);
}
