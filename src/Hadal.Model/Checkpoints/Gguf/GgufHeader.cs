using System.Buffers.Binary;
using System.Numerics;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>The front of a GGUF file: metadata and the table of tensors, checked against the length of the file.</summary>
internal sealed class GgufHeader
{
    public const uint Magic = 0x46554747; // "GGUF"
    public const uint Version = 3;
    public const int DefaultAlignment = 32;
    public const string AlignmentKey = "general.alignment";

    private const int LongestKey = 65535, LongestText = 64 << 20, LongestTensorName = 512, MostAxes = 4, LargestAlignment = 1 << 20;

    // Length of the name, its count of axes, one axis, type, offset.
    private const int LeastTensorBytes = 8 + 4 + 8 + 4 + 8;

    // Length of the key, type, a byte.
    private const int LeastPairBytes = 8 + 4 + 1;

    private readonly Dictionary<string, object> _metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (int Start, int Length)> _places = new(StringComparer.Ordinal);

    private GgufHeader(string path) => Path = path;

    public string Path { get; }

    /// <summary>Values: a boxed number, a bool, a string or a <see cref="GgufArray"/>.</summary>
    public IReadOnlyDictionary<string, object> Metadata => _metadata;

    /// <summary>Where the value of a key lies, its type code included.</summary>
    public IReadOnlyDictionary<string, (int Start, int Length)> Places => _places;

    /// <summary>The tensors, in the order of the table.</summary>
    public List<GgufTensor> Tensors { get; } = [];

    /// <summary>What the starts of tensors are multiples of.</summary>
    public int Alignment { get; private set; } = DefaultAlignment;

    /// <summary>Reads the front of a file.</summary>
    /// <param name="bytes">The file, or at least as much of it as the header takes.</param>
    /// <param name="fileLength">Bytes of the whole file.</param>
    /// <param name="path">What messages call it.</param>
    /// <exception cref="CheckpointException">It is no GGUF file, is truncated, or contradicts itself.</exception>
    public static GgufHeader Parse(ReadOnlySpan<byte> bytes, long fileLength, string path)
    {
        var header = new GgufHeader(path);
        var cursor = new GgufCursor(bytes, path);
        if (bytes.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic)
            throw new CheckpointException(path, null, "this is no GGUF file: it does not begin with the four letters GGUF");
        _ = cursor.U32("the magic number");
        uint version = cursor.U32("the version");
        if (version != Version)
        {
            string why = BinaryPrimitives.ReverseEndianness(version) is > 0 and <= Version ? "; it is a big-endian file" : "";
            throw new CheckpointException(path, null, $"the file has version {version} of the format, but only version {Version} can be read{why}");
        }

        // The pairs come before the table; their smallest sizes together are a first bound on both counts.
        int tensors = cursor.Count("the number of tensors", LeastTensorBytes);
        int pairs = cursor.Count("the number of metadata pairs", LeastPairBytes);
        for (int i = 0; i < pairs; i++) header.ReadPair(ref cursor);
        header.ReadAlignment();
        if (tensors > cursor.Remaining / LeastTensorBytes)
            throw new CheckpointException(path, null, $"the table of {tensors} tensors does not fit in the {cursor.Remaining} bytes behind the metadata; the file is truncated or damaged");
        var raw = new List<(GgufTensor Tensor, ulong Offset)>();
        for (int i = 0; i < tensors; i++) raw.Add(header.ReadTensor(ref cursor, i));
        header.Place(raw, (cursor.Position + (long)header.Alignment - 1) / header.Alignment * header.Alignment, fileLength);
        return header;
    }

    private void ReadPair(ref GgufCursor cursor)
    {
        string key = cursor.Text("a metadata key", LongestKey);
        if (_metadata.ContainsKey(key)) throw new CheckpointException(Path, null, $"the metadata key {Quoted(key)} stands in the file twice");
        string what = $"the metadata value of {Quoted(key)}";
        int start = cursor.Position;
        var type = (GgufValueType)cursor.U32(what);
        object value = type == GgufValueType.Array ? ReadArray(ref cursor, key, what) : ReadScalar(ref cursor, type, what);
        _metadata.Add(key, value);
        _places.Add(key, (start, cursor.Position - start));
    }

    private object ReadScalar(ref GgufCursor cursor, GgufValueType type, string what)
    {
        switch (type)
        {
            case GgufValueType.Text: return cursor.Text(what, LongestText);
            case GgufValueType.U8: return cursor.Take(1, what)[0];
            case GgufValueType.I8: return (sbyte)cursor.Take(1, what)[0];
            case GgufValueType.U16: return BinaryPrimitives.ReadUInt16LittleEndian(cursor.Take(2, what));
            case GgufValueType.I16: return BinaryPrimitives.ReadInt16LittleEndian(cursor.Take(2, what));
            case GgufValueType.U32: return cursor.U32(what);
            case GgufValueType.I32: return (int)cursor.U32(what);
            case GgufValueType.U64: return cursor.U64(what);
            case GgufValueType.I64: return (long)cursor.U64(what);
            case GgufValueType.F32: return BinaryPrimitives.ReadSingleLittleEndian(cursor.Take(4, what));
            case GgufValueType.F64: return BinaryPrimitives.ReadDoubleLittleEndian(cursor.Take(8, what));
            case GgufValueType.Bool:
                byte flag = cursor.Take(1, what)[0];
                return flag <= 1 ? flag == 1 : throw new CheckpointException(Path, null, $"{what} is the bool {flag}, but must be 0 or 1");
            default:
                throw new CheckpointException(Path, null, $"{what} has the unknown type {(uint)type}; types run from 0 to 12");
        }
    }

    private GgufArray ReadArray(ref GgufCursor cursor, string key, string what)
    {
        var type = (GgufValueType)cursor.U32(what);
        int size = type switch
        {
            GgufValueType.U8 or GgufValueType.I8 or GgufValueType.Bool => 1,
            GgufValueType.U16 or GgufValueType.I16 => 2,
            GgufValueType.U32 or GgufValueType.I32 or GgufValueType.F32 => 4,
            GgufValueType.U64 or GgufValueType.I64 or GgufValueType.F64 or GgufValueType.Text => 8,
            GgufValueType.Array => throw new CheckpointException(Path, null, $"{what} is an array of arrays, which the format does not have"),
            _ => throw new CheckpointException(Path, null, $"{what} is an array of the unknown type {(uint)type}; types run from 0 to 12"),
        };
        int count = cursor.Count($"the length of the array {Quoted(key)}", size);
        int start = cursor.Position;
        if (type != GgufValueType.Text) _ = cursor.Take((long)count * size, what);
        else for (int i = 0; i < count; i++) _ = cursor.TextBytes(what);
        return new GgufArray(type, count, start, cursor.Position - start);
    }

    private void ReadAlignment()
    {
        if (!_metadata.TryGetValue(AlignmentKey, out object? value)) return;
        if (value is not uint alignment || !BitOperations.IsPow2(alignment) || alignment > LargestAlignment)
            throw new CheckpointException(Path, null, $"{AlignmentKey} is {value}, but must be a power of two up to {LargestAlignment}, of type u32");
        Alignment = (int)alignment;
    }

    private (GgufTensor Tensor, ulong Offset) ReadTensor(ref GgufCursor cursor, int index)
    {
        string name = cursor.Text($"the name of tensor {index}", LongestTensorName);
        string what = $"tensor {Quoted(name)}";
        uint axes = cursor.U32(what);
        if (axes is 0 or > MostAxes) throw new CheckpointException(Path, name, $"{what} has {axes} axes, but must have 1 to {MostAxes}");
        Span<long> lengths = stackalloc long[MostAxes];
        lengths = lengths[..(int)axes];
        long count = 1;
        for (int i = (int)axes - 1; i >= 0; i--)
        {
            ulong length = cursor.U64(what);
            if (length is 0 or > long.MaxValue) throw new CheckpointException(Path, name, $"{what} has an axis of length {length}");
            lengths[i] = (long)length;
            if (long.MaxValue / count < (long)length) throw new CheckpointException(Path, name, $"{what} has more elements than 63 bits can count");
            count *= (long)length;
        }

        uint code = cursor.U32(what);
        ulong offset = cursor.U64(what);
        var type = GgufTensorType.Find(code) ?? throw new CheckpointException(Path, name,
            $"{what} has the type {GgufTensorType.Describe(code)}, but only F32, F16, BF16, Q4_0, Q5_0, Q8_0, Q4_K, Q5_K and Q6_K can be read");
        var shape = new Shape(lengths);
        if (shape.Columns % type.BlockElements != 0)
            throw new CheckpointException(Path, name, $"{what} has rows of {shape.Columns} elements, but {type.Name} needs a multiple of {type.BlockElements}");
        return (new GgufTensor(name, type, shape, 0), offset);
    }

    /// <summary>Turns offsets into places in the file: aligned, inside it, none over another.</summary>
    private void Place(List<(GgufTensor Tensor, ulong Offset)> raw, long dataStart, long fileLength)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        long room = Math.Max(0, fileLength - dataStart);
        foreach (var (tensor, offset) in raw)
        {
            string what = $"tensor {Quoted(tensor.Name)}";
            if (!names.Add(tensor.Name)) throw new CheckpointException(Path, tensor.Name, $"{what} stands in the file twice");
            if (offset % (ulong)Alignment != 0)
                throw new CheckpointException(Path, tensor.Name, $"{what} starts at byte {offset} of the data, which is no multiple of {Alignment}, the alignment of the file");
            long bytes = BytesOf(tensor, what);
            if (offset > (ulong)room || bytes > room - (long)offset)
                throw new CheckpointException(Path, tensor.Name,
                    $"{what} takes {bytes} bytes from byte {offset} of the data on, but the file has only {room}; it is truncated or damaged");
            Tensors.Add(tensor with { Offset = dataStart + (long)offset });
        }

        GgufTensor? last = null;
        foreach (var tensor in Tensors.OrderBy(t => t.Offset))
        {
            if (last is not null && last.Offset + last.ByteLength > tensor.Offset)
                throw new CheckpointException(Path, tensor.Name, $"tensor {Quoted(tensor.Name)} lies over the end of tensor {Quoted(last.Name)}");
            last = tensor;
        }
    }

    private long BytesOf(GgufTensor tensor, string what)
    {
        try
        {
            return tensor.ByteLength;
        }
        catch (OverflowException)
        {
            throw new CheckpointException(Path, tensor.Name, $"{what} has the impossible shape {tensor.Shape}");
        }
    }

    /// <summary>Text from the file, cut and cleaned for a message of one line.</summary>
    internal static string Quoted(string text) => Tokenization.FilePlace.Clean(text.Length <= 100 ? text : text[..97] + "...");
}
