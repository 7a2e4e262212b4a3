using Hadal.Numerics;

namespace Hadal.Parallel.Experts;

/// <summary>Memory for a matrix whose number of rows differs from micro-batch to micro-batch: it grows when it must and is kept.</summary>
internal sealed class GrowingTensor(IBackend backend) : IDisposable
{
    private Storage? _storage;

    /// <summary>Bytes taken.</summary>
    public long ByteLength => _storage?.ByteLength ?? 0;

    /// <summary>A contiguous matrix with undefined contents; the one before is gone.</summary>
    public Tensor Take(DType type, long rows, long columns)
    {
        long bytes = Math.Max(1, rows) * columns * type.SizeOf();
        if (ByteLength < bytes)
        {
            _storage?.Dispose();

            // A quarter more than asked for, since loads rise and fall.
            _storage = backend.CreateStorage(bytes + bytes / 4);
        }

        return _storage!.View(0, type, new Shape(rows, columns));
    }

    public void Dispose() => _storage?.Dispose();
}
