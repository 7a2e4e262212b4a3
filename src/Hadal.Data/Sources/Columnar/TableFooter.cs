using System.Buffers.Binary;
using System.Globalization;
using Hadal.Data.Sources.Packing;

namespace Hadal.Data.Sources.Columnar;

/// <summary>What the end of a Parquet file says about its columns and row groups.</summary>
/// <remarks>Format: Apache Parquet, file format 2.x (<c>parquet.thrift</c>: FileMetaData, SchemaElement, RowGroup, ColumnChunk, ColumnMetaData).</remarks>
internal sealed class TableFooter
{
    private const int MaximumBytes = 64 << 20;

    /// <summary>A row counts as so many bytes where the expansion of a file is bounded, since even a missing value costs time.</summary>
    public const int BytesPerRow = 16;

    private readonly byte[] _bytes;
    private readonly string _path;
    private readonly long _length;

    private TableFooter(byte[] bytes, string path, long length)
    {
        _bytes = bytes;
        _path = path;
        _length = length;
    }

    /// <summary>The columns of the table itself, in the order of the file.</summary>
    public List<TableColumn> Columns { get; } = [];

    /// <summary>Names of what is no plain column (a list, a struct).</summary>
    public List<string> Nested { get; } = [];

    /// <exception cref="DataException">It is no Parquet file, or its footer is damaged.</exception>
    public static TableFooter Read(FileStream file, string path)
    {
        long length = file.Length;
        Span<byte> mark = stackalloc byte[4];
        Span<byte> tail = stackalloc byte[8];
        if (length < 12) throw new DataException($"{path} is no Parquet file: it is too short.", path);
        file.Seek(0, SeekOrigin.Begin);
        Fill(file, mark, path);
        file.Seek(-8, SeekOrigin.End);
        Fill(file, tail, path);
        if (tail[4..].SequenceEqual("PARE"u8)) throw new DataException($"{path} is encrypted; decrypt it first.", path);
        if (!mark.SequenceEqual("PAR1"u8)) throw new DataException($"{path} is no Parquet file: it does not begin with PAR1.", path);
        if (!tail[4..].SequenceEqual("PAR1"u8)) throw new DataException($"{path} is damaged or cut short: a Parquet file ends in PAR1.", path);
        uint footer = BinaryPrimitives.ReadUInt32LittleEndian(tail);
        if (footer > length - 12) throw new DataException(string.Create(CultureInfo.InvariantCulture, $"{path} is damaged: its footer claims {footer} bytes, more than the file has."), path);
        if (footer > MaximumBytes) throw new DataException(string.Create(CultureInfo.InvariantCulture, $"{path} has a footer of {footer} bytes; {MaximumBytes} is the most that is read."), path);
        byte[] bytes = new byte[footer];
        file.Seek(length - 8 - footer, SeekOrigin.Begin);
        Fill(file, bytes, path);
        var result = new TableFooter(bytes, path, length - 8 - footer);
        result.Parse(result.ParseSchema);
        return result;
    }

    /// <summary>The row groups with where they keep the wanted columns.</summary>
    /// <exception cref="DataException">The footer is damaged or claims absurdly many rows.</exception>
    public List<RowGroup> RowGroups(IReadOnlyList<TableColumn?> wanted, ExpansionLimit limit)
    {
        var groups = new List<RowGroup>();
        Parse(() => ParseRowGroups(wanted, groups));
        long rows = 0;
        foreach (RowGroup group in groups)
        {
            if (group.Rows < 0 || group.Rows > long.MaxValue / (4 * BytesPerRow) - rows) throw new DataException($"{_path} is damaged: the number of its rows is absurd.", _path);
            rows += group.Rows;
        }

        limit.Check(rows * BytesPerRow, _length, _path);
        return groups;
    }

    private static void Fill(FileStream file, Span<byte> buffer, string path)
    {
        while (!buffer.IsEmpty)
        {
            int read = Files.FileAccessErrors.Read(file, buffer, path);
            if (read == 0) throw new DataException($"{path} became shorter while it was read.", path);
            buffer = buffer[read..];
        }
    }

    private void Parse(Action parse)
    {
        try
        {
            parse();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new DataException($"{_path} is damaged: its footer cannot be read ({(e is EndOfStreamException ? "it ends too early" : e.Message)}).", _path, e);
        }
    }

    private void ParseSchema()
    {
        var reader = new ThriftReader(_bytes);
        int field = 0;
        while (reader.NextField(ref field, out int type))
        {
            if (field == 2) ParseElements(ref reader, type);
            else reader.Skip(type);
        }
    }

    // The schema is a tree in depth-first order; the root's own children are the table's columns.
    private void ParseElements(ref ThriftReader reader, int listType)
    {
        if (Columns.Count + Nested.Count > 0) throw new InvalidDataException("the schema stands twice");
        int count = reader.ListOf(listType, out int elementType);
        long inside = 0;
        for (int i = 0; i < count; i++)
        {
            ThriftReader.Enter(elementType);
            int field = 0, physical = -1, repetition = 0, children = 0;
            string name = "";
            while (reader.NextField(ref field, out int type))
            {
                if (field == 1) physical = reader.Int32(type);
                else if (field == 3) repetition = reader.Int32(type);
                else if (field == 4) name = reader.Text(type);
                else if (field == 5) children = reader.Int32(type);
                else reader.Skip(type);
            }

            if (children < 0) throw new InvalidDataException("the schema is no tree");
            if (i == 0) continue;
            if (inside > 0) inside += children - 1;
            else Add(name, physical, repetition, inside = children);
        }
    }

    private void Add(string name, int physical, int repetition, long children)
    {
        if (children > 0 || repetition == 2 || physical is < 0 or > 7) Nested.Add(name);
        else Columns.Add(new TableColumn(name, (PhysicalType)physical, repetition == 1));
    }

    private void ParseRowGroups(IReadOnlyList<TableColumn?> wanted, List<RowGroup> groups)
    {
        var reader = new ThriftReader(_bytes);
        int field = 0;
        while (reader.NextField(ref field, out int type))
        {
            if (field != 4)
            {
                reader.Skip(type);
                continue;
            }

            for (int left = reader.ListOf(type, out int element); left > 0; left--)
            {
                ThriftReader.Enter(element);
                groups.Add(ParseRowGroup(ref reader, wanted));
            }
        }
    }

    private RowGroup ParseRowGroup(ref ThriftReader reader, IReadOnlyList<TableColumn?> wanted)
    {
        var chunks = new ColumnChunk?[wanted.Count];
        long rows = -1;
        string? problem = null;
        int field = 0;
        while (reader.NextField(ref field, out int type))
        {
            if (field == 1)
            {
                for (int left = reader.ListOf(type, out int element); left > 0; left--)
                {
                    ThriftReader.Enter(element);
                    ParseChunk(ref reader, wanted, chunks, ref problem);
                }
            }
            else if (field == 3)
            {
                rows = reader.Integer(type);
            }
            else
            {
                reader.Skip(type);
            }
        }

        return new RowGroup(rows, chunks, problem);
    }

    private void ParseChunk(ref ThriftReader reader, IReadOnlyList<TableColumn?> wanted, ColumnChunk?[] chunks, ref string? problem)
    {
        bool elsewhere = false, encrypted = false;
        int which = -1, codec = 0, physical = -1;
        long values = 0, packed = 0, data = 0, dictionary = 0;
        int field = 0;
        while (reader.NextField(ref field, out int type))
        {
            if (field == 1) elsewhere = reader.Bytes(type).Length > 0;
            else if (field is 8 or 9) encrypted = true;
            if (field == 1) continue;
            if (field != 3)
            {
                reader.Skip(type);
                continue;
            }

            ThriftReader.Enter(type);
            int inner = 0;
            while (reader.NextField(ref inner, out int innerType))
            {
                if (inner == 1) physical = reader.Int32(innerType);
                else if (inner == 3) which = Find(ref reader, innerType, wanted);
                else if (inner == 4) codec = reader.Int32(innerType);
                else if (inner == 5) values = reader.Integer(innerType);
                else if (inner == 7) packed = reader.Integer(innerType);
                else if (inner == 9) data = reader.Integer(innerType);
                else if (inner == 11) dictionary = reader.Integer(innerType);
                else reader.Skip(innerType);
            }
        }

        if (which < 0) return;
        TableColumn column = wanted[which]!;

        // Some writers give an offset of 0 for a dictionary that is not there, some one that lies after the data.
        long start = dictionary > 0 ? Math.Min(dictionary, data) : data;
        if (elsewhere) problem ??= $"its column \"{column.Name}\" is in another file";
        else if (encrypted) problem ??= $"its column \"{column.Name}\" is encrypted";
        else if (physical != (int)column.Type) problem ??= $"its column \"{column.Name}\" is of another type than the table's";
        else if (start < 4 || packed < 0 || start > _length || packed > _length - start) problem ??= $"its column \"{column.Name}\" lies outside the file";
        else if (chunks[which] is not null) problem ??= $"its column \"{column.Name}\" stands twice";
        else chunks[which] = new ColumnChunk(column, codec, values, start, _length);
    }

    // The wanted column that a path of names means, -1 for none.
    private static int Find(ref ThriftReader reader, int type, IReadOnlyList<TableColumn?> wanted)
    {
        int parts = reader.ListOf(type, out int element);
        int which = -1;
        for (int i = 0; i < parts; i++)
        {
            ReadOnlySpan<byte> name = reader.Bytes(element);
            for (int w = 0; parts == 1 && w < wanted.Count; w++)
            {
                if (wanted[w] is { } column && System.Text.Encoding.UTF8.GetString(name) == column.Name) which = w;
            }
        }

        return which;
    }
}
