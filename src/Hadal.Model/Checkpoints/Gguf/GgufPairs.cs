using System.Buffers.Binary;
using System.Text;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>Metadata of a file that is going to be written, in the order in which they are added.</summary>
internal sealed class GgufPairs
{
    private readonly List<(string Key, byte[] Value)> _pairs = [];

    public int Count => _pairs.Count;

    public IReadOnlyList<(string Key, byte[] Value)> All => _pairs;

    public GgufPairs Add(string key, uint value) => AddNumber(key, GgufValueType.U32, value);

    public GgufPairs Add(string key, int value) => AddNumber(key, GgufValueType.U32, checked((uint)value));

    public GgufPairs AddSigned(string key, int value) => AddNumber(key, GgufValueType.I32, (uint)value);

    public GgufPairs AddShort(string key, ushort value)
    {
        byte[] bytes = new byte[6];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)GgufValueType.U16);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), value);
        return AddRaw(key, bytes);
    }

    public GgufPairs Add(string key, float value) => AddNumber(key, GgufValueType.F32, BitConverter.SingleToUInt32Bits(value));

    public GgufPairs Add(string key, bool value)
    {
        byte[] bytes = new byte[5];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)GgufValueType.Bool);
        bytes[4] = value ? (byte)1 : (byte)0;
        return AddRaw(key, bytes);
    }

    public GgufPairs Add(string key, string value)
    {
        using var stream = new MemoryStream();
        Write(stream, (uint)GgufValueType.Text);
        Write(stream, value);
        return AddRaw(key, stream.ToArray());
    }

    public GgufPairs Add(string key, IReadOnlyCollection<string> values)
    {
        using var stream = Array(GgufValueType.Text, values.Count);
        foreach (string value in values) Write(stream, value);
        return AddRaw(key, stream.ToArray());
    }

    public GgufPairs Add(string key, IReadOnlyCollection<int> values)
    {
        using var stream = Array(GgufValueType.I32, values.Count);
        foreach (int value in values) Write(stream, (uint)value);
        return AddRaw(key, stream.ToArray());
    }

    /// <summary>A value as it lies in a file, its type code included.</summary>
    public GgufPairs AddRaw(string key, byte[] value)
    {
        _pairs.Add((key, value));
        return this;
    }

    public void WriteTo(Stream stream)
    {
        foreach (var (key, value) in _pairs)
        {
            Write(stream, key);
            stream.Write(value);
        }
    }

    public static void Write(Stream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    public static void Write(Stream stream, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    public static void Write(Stream stream, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Write(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    private GgufPairs AddNumber(string key, GgufValueType type, uint bits)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)type);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), bits);
        return AddRaw(key, bytes);
    }

    private static MemoryStream Array(GgufValueType type, int count)
    {
        var stream = new MemoryStream();
        Write(stream, (uint)GgufValueType.Array);
        Write(stream, (uint)type);
        Write(stream, (ulong)count);
        return stream;
    }
}
