using System.Buffers;
using System.Text;

namespace Hadal.Data.Exports.Columnar;

/// <summary>Writes Thrift's compact protocol, in which Parquet keeps its footer and page headers.</summary>
internal sealed class ThriftWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly Stack<int> _outer = [];
    private int _field;

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>A number of 32 bits as a field.</summary>
    public ThriftWriter Int32(int field, int value) => Field(field, 5).ZigZag(value);

    /// <summary>A number of 64 bits as a field.</summary>
    public ThriftWriter Int64(int field, long value) => Field(field, 6).ZigZag(value);

    /// <summary>Text as a field.</summary>
    public ThriftWriter Text(int field, string value) => Field(field, 8).Text(value);

    /// <summary>Begins a struct as a field.</summary>
    public ThriftWriter Begin(int field) => Field(field, 12).Begin();

    /// <summary>Begins a struct as an element of a list.</summary>
    public ThriftWriter Begin()
    {
        _outer.Push(_field);
        _field = 0;
        return this;
    }

    /// <summary>Ends a struct, or the whole.</summary>
    public ThriftWriter End()
    {
        if (_outer.TryPop(out int field)) _field = field;
        return Byte(0);
    }

    /// <summary>Begins a list as a field; its elements follow.</summary>
    /// <param name="field">The number of the field.</param>
    /// <param name="element">The type of the elements: 5 numbers of 32 bits, 8 text, 12 structs.</param>
    /// <param name="count">How many follow.</param>
    public ThriftWriter List(int field, int element, int count)
    {
        Field(field, 9);
        return count < 15 ? Byte((byte)((count << 4) | element)) : Byte((byte)(0xF0 | element)).Varint((ulong)count);
    }

    /// <summary>A number as an element of a list.</summary>
    public ThriftWriter ZigZag(long value) => Varint((ulong)((value << 1) ^ (value >> 63)));

    /// <summary>Text as an element of a list.</summary>
    public ThriftWriter Text(string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        Varint((ulong)bytes.Length);
        _bytes.Write(bytes);
        return this;
    }

    private ThriftWriter Field(int field, int type)
    {
        int step = field - _field;
        _field = field;
        return step is > 0 and < 16 ? Byte((byte)((step << 4) | type)) : Byte((byte)type).ZigZag(field);
    }

    private ThriftWriter Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7) Byte((byte)(value | 0x80));
        return Byte((byte)value);
    }

    private ThriftWriter Byte(byte value)
    {
        _bytes.GetSpan(1)[0] = value;
        _bytes.Advance(1);
        return this;
    }
}
