using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hadal.Data.Shards;

/// <summary>Writes the table of documents: a JSON line each, and the place of every 1,024th line. Memory does not grow with it.</summary>
internal sealed class DocumentTableWriter : IDisposable
{
    private readonly HashedFile _table, _index;
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Utf8JsonWriter _json;

    public DocumentTableWriter(string folder)
    {
        _table = new HashedFile(Path.Combine(folder, ShardLayout.DocumentTable));
        _index = new HashedFile(Path.Combine(folder, ShardLayout.DocumentIndex));
        _json = new Utf8JsonWriter(_line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    public long Count { get; private set; }

    public long Add(string id, string source)
    {
        if (Count % ShardLayout.IndexEvery == 0)
        {
            Span<byte> place = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(place, _table.Length);
            _index.Write(place);
        }

        _line.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteNumber("document"u8, Count);
        _json.WriteString("id"u8, id);
        _json.WriteString("source"u8, source);
        _json.WriteEndObject();
        _json.Flush();
        _table.Write(_line.WrittenSpan);
        _table.Write("\n"u8);
        return Count++;
    }

    public DocumentTableFiles Complete() => new()
    {
        Count = Count,
        TableBytes = _table.Length,
        TableSha256 = _table.Complete(),
        IndexBytes = _index.Length,
        IndexSha256 = _index.Complete(),
    };

    public void Dispose()
    {
        _json.Dispose();
        _table.Dispose();
        _index.Dispose();
    }
}
