using System.Buffers.Binary;
using System.Text.Json;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>The header of a safetensors file, checked: eight bytes of length, then a JSON object of that length, then the data.</summary>
internal sealed class SafetensorsHeader
{
    /// <summary>Longest header that the format allows, in bytes.</summary>
    public const long LargestHeader = 100_000_000;

    /// <summary>Bytes that hold the length of the header.</summary>
    public const int PrefixLength = 8;

    private SafetensorsHeader(List<SafetensorsTensor> tensors, Dictionary<string, string> metadata) => (Tensors, Metadata) = (tensors, metadata);

    /// <summary>In the order of their data.</summary>
    public List<SafetensorsTensor> Tensors { get; }

    public Dictionary<string, string> Metadata { get; }

    /// <summary>The length of the JSON text.</summary>
    /// <param name="prefix">The first bytes of the file: eight, or all if it has fewer.</param>
    /// <param name="fileLength">Length of the file.</param>
    /// <param name="path">For messages.</param>
    /// <exception cref="CheckpointException">It cannot be.</exception>
    public static int Length(ReadOnlySpan<byte> prefix, long fileLength, string path)
    {
        if (fileLength < PrefixLength)
            throw Wrong(path, $"the file has {fileLength} bytes and is no safetensors file, which starts with the length of its header in 8");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LargestHeader) throw Wrong(path, $"the header claims {length} bytes, more than the {LargestHeader} that safetensors allows");
        if ((long)length > fileLength - PrefixLength)
            throw Wrong(path,
                $"the header claims {length} bytes, but the file ends after {fileLength - PrefixLength} more; it is truncated or no safetensors file");
        return (int)length;
    }

    /// <summary>Reads and checks a header.</summary>
    /// <param name="json">The JSON text.</param>
    /// <param name="fileLength">Length of the file.</param>
    /// <param name="path">For messages.</param>
    /// <exception cref="CheckpointException">The header is not what the format asks for, or does not describe exactly the bytes behind it.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long fileLength, string path)
    {
        if (json.Length == 0 || json[0] != '{') throw Wrong(path, "the header does not start with {, as the JSON object of a safetensors file must");
        try
        {
            var parser = new Parser(json, PrefixLength + json.Length, fileLength, path);
            parser.Run();
            CheckCoverage(parser.Tensors, PrefixLength + json.Length, fileLength, path);
            return new SafetensorsHeader(parser.Tensors, parser.Metadata);
        }
        catch (JsonException e)
        {
            throw new CheckpointException(path, null,
                $"the header is not valid JSON (byte {e.BytePositionInLine + PrefixLength} of line {e.LineNumber + 1})", e);
        }
        catch (InvalidOperationException e)
        {
            // What the reader throws for a string that is not valid UTF-8 or has half of a surrogate pair.
            throw new CheckpointException(path, null, "the header has a string that is not valid Unicode", e);
        }
    }

    // The tensors must fill the data from end to end: no two share a byte and no byte is without a tensor.
    private static void CheckCoverage(List<SafetensorsTensor> tensors, long start, long fileLength, string path)
    {
        tensors.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.ByteLength.CompareTo(b.ByteLength));
        long position = start;
        SafetensorsTensor? last = null;
        foreach (var tensor in tensors)
        {
            if (tensor.Offset < position)
                throw new CheckpointException(path, tensor.Name,
                    $"tensor {tensor.Name} overlaps {last!.Name}: it starts {position - tensor.Offset} bytes before that ends");
            if (tensor.Offset > position)
                throw new CheckpointException(path, tensor.Name, $"{tensor.Offset - position} bytes before tensor {tensor.Name} belong to no tensor");
            position = tensor.Offset + tensor.ByteLength;
            last = tensor;
        }

        if (position != fileLength) throw Wrong(path, $"the last {fileLength - position} bytes belong to no tensor");
    }

    private static CheckpointException Wrong(string path, string problem) => new(path, null, problem);

    private ref struct Parser(ReadOnlySpan<byte> json, long dataStart, long fileLength, string path)
    {
        private readonly HashSet<string> _names = [];
        private Utf8JsonReader _reader = new(json);

        public List<SafetensorsTensor> Tensors { get; } = [];

        public Dictionary<string, string> Metadata { get; } = [];

        public void Run()
        {
            _reader.Read();
            while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = _reader.GetString()!;
                if (!_names.Add(name)) throw new CheckpointException(path, name, $"tensor {name} is described twice");
                _reader.Read();
                if (_reader.TokenType != JsonTokenType.StartObject)
                    throw new CheckpointException(path, name, $"the description of {name} must be a JSON object");
                if (name == "__metadata__") ReadMetadata();
                else ReadTensor(name);
            }

            // Reading on reports anything but white space behind the object.
            _reader.Read();
        }

        private void ReadMetadata()
        {
            while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
            {
                string key = _reader.GetString()!;
                _reader.Read();
                if (_reader.TokenType != JsonTokenType.String || !Metadata.TryAdd(key, _reader.GetString()!))
                    throw Wrong(path, "__metadata__ must give each name one string");
            }
        }

        private void ReadTensor(string name)
        {
            DType? type = null;
            Shape? shape = null;
            (long Begin, long End)? offsets = null;
            while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
            {
                if (_reader.ValueTextEquals("dtype"u8) && type is null) type = ReadType(name);
                else if (_reader.ValueTextEquals("shape"u8) && shape is null) shape = ReadShape(name);
                else if (_reader.ValueTextEquals("data_offsets"u8) && offsets is null) offsets = ReadOffsets(name);
                else throw Bad(name, $"has the unknown or repeated field {_reader.GetString()}; dtype, shape and data_offsets are known");
            }

            if (type is not { } t || shape is not { } s || offsets is not { } o) throw Bad(name, "lacks one of dtype, shape and data_offsets");
            if (o.Begin > o.End) throw Bad(name, $"ends at byte {o.End}, before it starts at {o.Begin}");
            if (o.End > fileLength - dataStart)
                throw Bad(name, $"ends at byte {o.End} of the data, but the file has only {fileLength - dataStart}; it is truncated");
            long bytes;
            try
            {
                bytes = checked(s.Count * t.SizeOf());
            }
            catch (OverflowException)
            {
                throw Bad(name, $"has the impossible shape {s}");
            }

            if (bytes != o.End - o.Begin)
                throw Bad(name, $"is {t.SafetensorsName()} {s}, which takes {bytes} bytes, but data_offsets give it {o.End - o.Begin}");
            Tensors.Add(new SafetensorsTensor(name, t, s, dataStart + o.Begin));
        }

        private DType ReadType(string name)
        {
            _reader.Read();
            if (_reader.TokenType != JsonTokenType.String) throw Bad(name, "has a dtype that is not a string");
            string text = _reader.GetString()!;
            return SafetensorsTypes.Parse(text) ?? throw Bad(name, $"has the unknown dtype {Short(text)}");
        }

        private Shape ReadShape(string name)
        {
            Span<long> dimensions = stackalloc long[4];
            return new Shape(dimensions[..ReadNumbers(name, "shape", dimensions)]);
        }

        private (long Begin, long End) ReadOffsets(string name)
        {
            Span<long> ends = stackalloc long[2];
            return ReadNumbers(name, "data_offsets", ends) == 2 ? (ends[0], ends[1]) : throw Bad(name, "has data_offsets that are not two numbers");
        }

        private int ReadNumbers(string name, string field, scoped Span<long> numbers)
        {
            _reader.Read();
            if (_reader.TokenType != JsonTokenType.StartArray) throw Bad(name, $"has a {field} that is not a list");
            int n = 0;
            while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
            {
                if (n == numbers.Length) throw Bad(name, $"has more than {numbers.Length} numbers in {field}");
                if (_reader.TokenType != JsonTokenType.Number || !_reader.TryGetInt64(out long number) || number < 0)
                    throw Bad(name, $"has a {field} with something other than whole numbers from 0");
                numbers[n++] = number;
            }

            return n;
        }

        private readonly CheckpointException Bad(string name, string problem) => new(path, name, $"tensor {Short(name)} {problem}");

        private static string Short(string text) => text.Length <= 200 ? text : text[..197] + "...";
    }
}
