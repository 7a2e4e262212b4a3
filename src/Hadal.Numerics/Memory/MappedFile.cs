using System.IO.MemoryMappedFiles;

namespace Hadal.Numerics;

/// <summary>A file mapped into memory for reading: pages are loaded when touched and shared between processes.</summary>
/// <remarks>Do not cut the file short while it is mapped; the platform has no recoverable error for that.</remarks>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly MappedStorage _storage;

    private MappedFile(string path, MappedStorage storage) => (Path, _storage) = (path, storage);

    /// <summary>The path that was opened.</summary>
    public string Path { get; }

    /// <summary>Length of the file in bytes.</summary>
    public long Length => _storage.ByteLength;

    /// <summary>Maps a file.</summary>
    /// <param name="path">An existing file; an empty one is allowed.</param>
    /// <returns>The mapping.</returns>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static MappedFile Open(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        long length = stream.Length;
        if (length == 0) return new MappedFile(path, new MappedStorage(null, null, 0));
        var file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        var view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        return new MappedFile(path, new MappedStorage(file, view, length));
    }

    /// <summary>Bytes of the file, without a copy; valid until this object is disposed.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">How many.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the file.</exception>
    public ReadOnlySpan<byte> Bytes(long offset, int length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"Bytes {offset}..{offset + length} are not in {Path} ({Length} bytes).");
        return length == 0 ? default : new ReadOnlySpan<byte>(_storage.Pointer + offset, length);
    }

    /// <summary>A read-only tensor over part of the file, without a copy; valid until this object is disposed.</summary>
    /// <param name="offset">Where the first element starts, in bytes.</param>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Dimensions.</param>
    /// <returns>The view.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the file.</exception>
    public Tensor View(long offset, DType type, Shape shape) => _storage.View(offset, type, shape);

    /// <inheritdoc/>
    public void Dispose() => _storage.Dispose();

    private sealed class MappedStorage : CpuStorage
    {
        private readonly MemoryMappedFile? _file;
        private readonly MemoryMappedViewAccessor? _view;
        private byte* _pointer;

        public MappedStorage(MemoryMappedFile? file, MemoryMappedViewAccessor? view, long length)
        {
            (_file, _view, ByteLength) = (file, view, length);
            if (view is null) return;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
            _pointer += view.PointerOffset;
        }

        public override long ByteLength { get; }

        public override bool IsReadOnly => true;

        internal override byte* Pointer => _pointer is null && ByteLength > 0 ? throw new ObjectDisposedException(nameof(MappedFile)) : _pointer;

        protected override void Dispose(bool disposing)
        {
            if (_pointer is null || !disposing) return;
            _pointer = null;
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file!.Dispose();
        }
    }
}
