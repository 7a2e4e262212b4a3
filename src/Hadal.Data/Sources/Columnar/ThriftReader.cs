using System.Text;

namespace Hadal.Data.Sources.Columnar;

/// <summary>
/// Reads Thrift's compact protocol, in which Parquet keeps its footer and page headers. Nothing is allocated before its bytes are known to be there.
/// </summary>
/// <remarks>Errors are <see cref="EndOfStreamException"/> where the bytes end too early and <see cref="InvalidDataException"/> where they make no sense.</remarks>
internal ref struct ThriftReader(ReadOnlySpan<byte> bytes)
{
    public const int True = 1, False = 2, Byte = 3, I16 = 4, I32 = 5, I64 = 6, Double = 7, Binary = 8, List = 9, Set = 10, Map = 11, Struct = 12, Uuid = 13;

    private const int MaximumDepth = 32;
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    /// <summary>Goes to the next field of a struct; false at the end of the struct.</summary>
    /// <param name="field">The number of the field before (0 at the start), then of this one.</param>
    /// <param name="type">The type of its value.</param>
    public bool NextField(ref int field, out int type)
    {
        byte header = Next();
        type = header & 15;
        if (header == 0) return false;
        int step = header >> 4;
        field = step > 0 ? field + step : (short)ZigZag();
        return true;
    }

    /// <summary>A whole number of any width.</summary>
    public long Integer(int type) => type switch
    {
        I16 or I32 or I64 => ZigZag(),
        Byte => (sbyte)Next(),
        _ => throw Unexpected(type, "a number"),
    };

    /// <summary>A whole number of 32 bits.</summary>
    public int Int32(int type) => Integer(type) is >= int.MinValue and <= int.MaxValue and var value ? (int)value : throw new InvalidDataException("a number is too large");

    /// <summary>A truth value, which is kept in the type.</summary>
    public static bool Truth(int type) => type is True or False ? type == True : throw Unexpected(type, "a truth value");

    /// <summary>Bytes with their length before them.</summary>
    public ReadOnlySpan<byte> Bytes(int type)
    {
        if (type != Binary) throw Unexpected(type, "a string");
        ulong length = Varint();
        if (length > (ulong)(_bytes.Length - Position)) throw new EndOfStreamException();
        ReadOnlySpan<byte> value = _bytes.Slice(Position, (int)length);
        Position += (int)length;
        return value;
    }

    /// <summary>Text.</summary>
    public string Text(int type) => Encoding.UTF8.GetString(Bytes(type));

    /// <summary>The number of elements of a list, which the bytes left could hold, and their type.</summary>
    public int ListOf(int type, out int element)
    {
        if (type is not (List or Set)) throw Unexpected(type, "a list");
        byte header = Next();
        element = header & 15;
        ulong count = (ulong)(header >> 4);
        if (count == 15) count = Varint();

        // Every element takes a byte at least.
        return count <= (ulong)(_bytes.Length - Position) ? (int)count : throw new EndOfStreamException();
    }

    /// <summary>Demands the type of a nested struct.</summary>
    public static void Enter(int type)
    {
        if (type != Struct) throw Unexpected(type, "a struct");
    }

    /// <summary>Passes over a value.</summary>
    public void Skip(int type) => Skip(type, 0, inList: false);

    private void Skip(int type, int depth, bool inList)
    {
        if (depth > MaximumDepth) throw new InvalidDataException("values are nested too deeply");
        switch (type)
        {
            case True or False:
                if (inList) Next();
                break;
            case Byte:
                Next();
                break;
            case I16 or I32 or I64:
                Varint();
                break;
            case Double:
                Pass(8);
                break;
            case Uuid:
                Pass(16);
                break;
            case Binary:
                Bytes(Binary);
                break;
            case List or Set:
                for (int left = ListOf(type, out int element); left > 0; left--) Skip(element, depth + 1, inList: true);
                break;
            case Map:
                ulong pairs = Varint();
                if (pairs == 0) break;
                if (pairs > (ulong)(_bytes.Length - Position)) throw new EndOfStreamException();
                byte types = Next();
                for (; pairs > 0; pairs--)
                {
                    Skip(types >> 4, depth + 1, inList: true);
                    Skip(types & 15, depth + 1, inList: true);
                }

                break;
            case Struct:
                int field = 0;
                while (NextField(ref field, out int inner)) Skip(inner, depth + 1, inList: false);
                break;
            default:
                throw new InvalidDataException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"a value has the unknown type {type}"));
        }
    }

    private void Pass(int count)
    {
        if (count > _bytes.Length - Position) throw new EndOfStreamException();
        Position += count;
    }

    private byte Next() => Position < _bytes.Length ? _bytes[Position++] : throw new EndOfStreamException();

    private long ZigZag()
    {
        ulong value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Next();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }

        throw new InvalidDataException("a number has too many bytes");
    }

    private static InvalidDataException Unexpected(int type, string wanted) =>
        new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"a value of type {type} stands where {wanted} should be"));
}
