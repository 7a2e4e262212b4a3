using System.Runtime.InteropServices;
using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Model.Checkpoints;

/// <summary>A safetensors file, mapped into memory: pages are read when they are touched.</summary>
/// <remarks>Opening checks the whole header against the file. Reading is safe from several threads at once.</remarks>
public sealed class SafetensorsFile : IDisposable
{
    private const int ChunkElements = 1 << 24;
    private readonly MappedFile _file;
    private readonly Dictionary<string, SafetensorsTensor> _byName;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header)
    {
        _file = file;
        Tensors = header.Tensors;
        Metadata = header.Metadata;
        _byName = header.Tensors.ToDictionary(t => t.Name);
    }

    /// <summary>The path that was opened.</summary>
    public string Path => _file.Path;

    /// <summary>The tensors, in the order of their data.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors { get; }

    /// <summary>What stands under <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Maps and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The open file.</returns>
    /// <exception cref="CheckpointException">The file is missing or unreadable, its header is malformed, or the header does not describe exactly the
    /// data.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = CheckpointFiles.Map(path);
        try
        {
            int length = SafetensorsHeader.Length(file.Bytes(0, (int)Math.Min(SafetensorsHeader.PrefixLength, file.Length)), file.Length, path);
            return new SafetensorsFile(file, SafetensorsHeader.Parse(file.Bytes(SafetensorsHeader.PrefixLength, length), file.Length, path));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Looks a tensor up.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The tensor; null if the file has none of that name.</returns>
    public SafetensorsTensor? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>A tensor where it lies, without a copy; valid until the file is disposed.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The view, read-only.</returns>
    /// <exception cref="CheckpointException">There is no such tensor, or it is not aligned to its element size and can only be copied.</exception>
    public Tensor View(string name)
    {
        var tensor = Get(name);
        return tensor.IsAligned
            ? _file.View(tensor.Offset, tensor.Type, tensor.Shape)
            : throw new CheckpointException(Path, name,
                $"tensor {name} starts at byte {tensor.Offset}, which is no multiple of its element size; it can be copied but not used in place");
    }

    /// <summary>Raw bytes of a tensor, little-endian, without a copy; valid until the file is disposed.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="offset">First byte, from the start of the tensor.</param>
    /// <param name="length">How many.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="CheckpointException">There is no such tensor.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the tensor.</exception>
    public ReadOnlySpan<byte> Bytes(string name, long offset, int length)
    {
        var tensor = Get(name);
        if (offset < 0 || length < 0 || offset > tensor.ByteLength - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"Bytes {offset}..{offset + length} are not in {name} ({tensor.ByteLength} bytes).");
        return _file.Bytes(tensor.Offset + offset, length);
    }

    /// <summary>Copies a tensor, widened to FP32. FP8 codes are taken as they are, without scales.</summary>
    /// <param name="name">Its name; the type must be F32, BF16, F16, F8_E4M3, F8_E5M2 or F8_E8M0.</param>
    /// <param name="destination">Receives all elements; at least as many as the tensor has.</param>
    /// <exception cref="CheckpointException">There is no such tensor, its type is not a floating-point type of at most 32 bits, or
    /// an F8_E8M0 code is the NaN.</exception>
    public void ReadSingle(string name, Span<float> destination)
    {
        var tensor = Get(name);
        if (destination.Length < tensor.Shape.Count)
            throw new ArgumentException($"{name} has {tensor.Shape.Count} elements and does not fit in {destination.Length}.", nameof(destination));
        Read(tensor, 0, destination[..(int)tensor.Shape.Count]);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    internal SafetensorsTensor Get(string name) =>
        Find(name) ?? throw new CheckpointException(Path, name, $"there is no tensor {name} in the file");

    /// <summary>Widens a range of elements.</summary>
    internal void Read(SafetensorsTensor tensor, long firstElement, Span<float> destination)
    {
        int size = tensor.Type.SizeOf();
        for (int done = 0; done < destination.Length; done += ChunkElements)
        {
            var part = destination.Slice(done, Math.Min(ChunkElements, destination.Length - done));
            Widen(tensor, firstElement + done, _file.Bytes(tensor.Offset + (firstElement + done) * size, part.Length * size), part);
        }
    }

    private void Widen(SafetensorsTensor tensor, long firstElement, ReadOnlySpan<byte> source, Span<float> destination)
    {
        switch (tensor.Type)
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
            case DType.F8E4M3:
                Float8E4M3.ToSingle(source, destination);
                break;
            case DType.F8E5M2:
                Float8E5M2.ToSingle(source, destination);
                break;
            case DType.F8E8M0:
                for (int i = 0; i < source.Length; i++) destination[i] = source[i] == Ue8M0.NaN ? throw NotANumber(tensor, firstElement + i) : Ue8M0.ToSingle(source[i]);
                break;
            default:
                throw new CheckpointException(Path, tensor.Name,
                    $"tensor {tensor.Name} is {tensor.Type.SafetensorsName()}, not a floating-point type that fits in FP32");
        }
    }

    private CheckpointException NotANumber(SafetensorsTensor tensor, long element) => new(Path, tensor.Name,
        $"tensor {tensor.Name} has the code 255 at [{element / tensor.Shape.Columns}, {element % tensor.Shape.Columns}], which stands for no number (F8_E8M0)");
}
