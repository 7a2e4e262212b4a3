using Hadal.Data.Exports.Columnar;

namespace Hadal.Data.Exports;

/// <summary>Rows of a Parquet file. Held is what of a row group was packed so far, and a page of each column.</summary>
internal sealed class ColumnarEncoding(Stream file, string path) : DocumentEncoding
{
    private const long GroupBytes = 64 << 20;
    private const int GroupRows = 1 << 20;

    private readonly List<StringColumn> _columns = [new("id", optional: false), new("text", optional: false), new("source", optional: false), new("language", optional: true)];
    private readonly List<(int Rows, StringColumn.Chunk[] Chunks)> _groups = [];
    private readonly List<string?> _row = [];
    private long _offset;
    private long _bytes;
    private int _rows;

    public override void Write(ExportDocument document)
    {
        _row.Clear();
        _row.AddRange([document.Id, document.Text, document.Source, document.Language]);
        foreach ((string name, string value) in document.Extra ?? []) Set(name, value);
        for (int i = 0; i < _columns.Count; i++) _bytes += _columns[i].Add(i < _row.Count ? _row[i] : null);
        if (++_rows == GroupRows || _bytes >= GroupBytes) EndGroup();
    }

    public override void Finish()
    {
        if (_rows > 0 || _groups.Count == 0) EndGroup();
        var footer = new ThriftWriter();
        footer.Int32(1, 1).List(2, 12, _columns.Count + 1).Begin().Text(4, "documents").Int32(5, _columns.Count).End();
        foreach (StringColumn column in _columns) column.WriteSchema(footer);
        footer.Int64(3, _groups.Sum(g => (long)g.Rows)).List(4, 12, _groups.Count);
        foreach ((int rows, StringColumn.Chunk[] chunks) in _groups)
        {
            footer.Begin().List(1, 12, chunks.Length);
            foreach (StringColumn.Chunk chunk in chunks) chunk.Write(footer);
            footer.Int64(2, chunks.Sum(c => c.Unpacked)).Int64(3, rows).End();
        }

        ReadOnlySpan<byte> bytes = footer.Text(6, "hadal version 1").End().Written;
        file.Write(bytes);
        Span<byte> length = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        file.Write(length);
        file.Write("PAR1"u8);
    }

    public override void Dispose()
    {
        foreach (StringColumn column in _columns) column.Dispose();
    }

    // All row groups have the same columns, so a new one can only begin in the first.
    private void Set(string name, string value)
    {
        int at = _columns.FindIndex(c => c.Name == name);
        if (at is >= 0 and < 4) throw new DataException($"{path} cannot be written: a further field is called \"{name}\" like one of the document's own; name it otherwise.", path);
        if (at < 0)
        {
            if (_groups.Count > 0) throw new DataException($"{path} cannot be written: the field \"{name}\" comes after the first row group, which fixes the columns; write JSON lines, or give every document the field.", path);
            at = _columns.Count;
            _columns.Add(new StringColumn(name, optional: true));
            for (int i = 0; i < _rows; i++) _columns[at].Add(null);
        }

        while (_row.Count <= at) _row.Add(null);
        _row[at] = value;
    }

    private void EndGroup()
    {
        if (_offset == 0)
        {
            file.Write("PAR1"u8);
            _offset = 4;
        }

        if (_rows == 0) return;
        var chunks = new StringColumn.Chunk[_columns.Count];
        for (int i = 0; i < chunks.Length; i++)
        {
            chunks[i] = _columns[i].Flush(file, _offset);
            _offset += chunks[i].Packed;
        }

        _groups.Add((_rows, chunks));
        _rows = 0;
        _bytes = 0;
    }
}
