using System.Runtime.InteropServices;
using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>A GGUF file, mapped into memory: pages are read when they are touched.</summary>
/// <remarks>Opening checks the whole header against the file. Reading is safe from several threads at once.</remarks>
internal sealed class GgufFile : IDisposable
{
    private readonly MappedFile _file;
    private readonly GgufHeader _header;

    private GgufFile(MappedFile file, GgufHeader header)
    {
        (_file, _header) = (file, header);
        Metadata = new GgufMetadata(this, header);
    }

    public string Path => _file.Path;

    public GgufMetadata Metadata { get; }

    public IReadOnlyList<GgufTensor> Tensors => _header.Tensors;

    /// <exception cref="CheckpointException">The file is missing, unreadable, no GGUF file, truncated, or contradicts itself.</exception>
    public static GgufFile Open(string path)
    {
        var file = CheckpointFiles.Map(path);
        try
        {
            return new GgufFile(file, GgufHeader.Parse(file.Bytes(0, (int)Math.Min(file.Length, int.MaxValue)), file.Length, path));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether a path is to be taken for a GGUF file: by its name, or by its first four bytes.</summary>
    public static bool IsGguf(string path)
    {
        if (Directory.Exists(path)) return false;
        if (path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)) return true;
        if (!File.Exists(path)) return false;
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            Span<byte> start = stackalloc byte[4];
            return stream.ReadAtLeast(start, 4, throwOnEndOfStream: false) == 4 && MemoryMarshal.Read<uint>(start) == GgufHeader.Magic;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Bytes of the header.</summary>
    public ReadOnlySpan<byte> HeaderBytes(int start, int length) => _file.Bytes(start, length);

    /// <summary>Rows of a tensor, widened to FP32.</summary>
    public void Read(GgufTensor tensor, long firstRow, Span<float> destination)
    {
        long rowBytes = tensor.RowBytes;
        int columns = checked((int)tensor.Shape.Columns);
        for (long row = 0; row < destination.Length / columns; row++)
        {
            var source = _file.Bytes(tensor.Offset + (firstRow + row) * rowBytes, checked((int)rowBytes));
            Widen(tensor, source, destination.Slice(checked((int)(row * columns)), columns));
        }
    }

    /// <summary>A range of rows where it lies, without a copy, in the type of its elements.</summary>
    public Tensor View(GgufTensor tensor, long firstRow, Shape shape) => _file.View(tensor.Offset + firstRow * tensor.RowBytes, tensor.Type.Element, shape);

    public void Dispose() => _file.Dispose();

    private void Widen(GgufTensor tensor, ReadOnlySpan<byte> source, Span<float> destination)
    {
        if (tensor.Type.Blocks is { } format)
        {
            format.Decode(source, destination);
            return;
        }

        switch (tensor.Type.Element)
        {
            case DType.F32:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case DType.BF16:
                BFloat16.ToSingle(MemoryMarshal.Cast<byte, ushort>(source), destination);
                break;
            case DType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(source);
                for (int i = 0; i < halves.Length; i++) destination[i] = (float)halves[i];
                break;
            default:
                throw new CheckpointException(Path, tensor.Name, $"tensor {GgufHeader.Quoted(tensor.Name)} is {tensor.Type.Name}, not a floating-point type that fits in FP32");
        }
    }
}
