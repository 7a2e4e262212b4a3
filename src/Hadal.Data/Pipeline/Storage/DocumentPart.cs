using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Hadal.Data.Pipeline.Storage;

/// <summary>
/// A run of documents in a file: a record is its length, the hash of the original text, and id, source, language and text in UTF-8, each behind its length. A file of
/// offsets beside it finds a document by its number.
/// </summary>
internal static class DocumentPart
{
    public const string Documents = "documents.part", Offsets = "documents.offsets";
    private const int Header = 4 + 8;

    /// <summary>Writes a part.</summary>
    public sealed class Writer(string folder, string name = "") : IDisposable
    {
        private readonly FileStream _documents = new(Path.Combine(folder, name + Documents), FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        private readonly RecordWriter<long> _offsets = new(Path.Combine(folder, name + Offsets));
        private byte[] _buffer = new byte[1 << 16];
        private long _at;

        public int Count { get; private set; }

        public void Add(StoredDocument d)
        {
            long most = Header + 16 + 3L * (d.Id.Length + d.Source.Length + d.Language.Length + (long)d.Text.Length);
            if (_buffer.Length < most) _buffer = new byte[checked((int)Math.Max(most, _buffer.Length * 2L))];
            int at = Header;
            foreach (string field in (ReadOnlySpan<string>)[d.Id, d.Source, d.Language, d.Text])
            {
                int bytes = Encoding.UTF8.GetBytes(field, _buffer.AsSpan(at + 4));
                BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(at), bytes);
                at += 4 + bytes;
            }

            BinaryPrimitives.WriteInt32LittleEndian(_buffer, at);
            BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(4), d.Original);
            _documents.Write(_buffer, 0, at);
            _offsets.Add(_at);
            _at += at;
            Count++;
            if (_buffer.Length > 1 << 22) _buffer = new byte[1 << 16];
        }

        public void Dispose()
        {
            _documents.Dispose();
            _offsets.Dispose();
        }
    }

    /// <summary>All documents in order.</summary>
    public static IEnumerable<StoredDocument> Read(string folder, string name = "")
    {
        using var file = new FileStream(Path.Combine(folder, name + Documents), FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        byte[] head = new byte[4];
        while (file.ReadAtLeast(head, 4, throwOnEndOfStream: false) == 4)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(head);
            byte[] record = ArrayPool<byte>.Shared.Rent(length);
            file.ReadExactly(record, 4, length - 4);
            var document = Parse(record.AsSpan(0, length));
            ArrayPool<byte>.Shared.Return(record);
            yield return document;
        }
    }

    /// <summary>How many documents a part has.</summary>
    public static int Count(string folder, string name = "") => (int)(new FileInfo(Path.Combine(folder, name + Offsets)).Length / sizeof(long));

    /// <summary>One document by its number.</summary>
    public static StoredDocument ReadAt(OpenFiles files, string folder, int number)
    {
        long at = 0;
        files.Read(Path.Combine(folder, Offsets), number * (long)sizeof(long), MemoryMarshal.AsBytes(new Span<long>(ref at)));
        string documents = Path.Combine(folder, Documents);
        Span<byte> head = stackalloc byte[4];
        files.Read(documents, at, head);
        byte[] record = new byte[BinaryPrimitives.ReadInt32LittleEndian(head)];
        files.Read(documents, at, record);
        return Parse(record);
    }

    private static StoredDocument Parse(ReadOnlySpan<byte> record)
    {
        ulong original = BinaryPrimitives.ReadUInt64LittleEndian(record[4..]);
        int at = Header;
        string id = Field(record, ref at), source = Field(record, ref at), language = Field(record, ref at), text = Field(record, ref at);
        return new StoredDocument(id, source, language, text, original);
    }

    private static string Field(ReadOnlySpan<byte> record, ref int at)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(record[at..]);
        string field = Encoding.UTF8.GetString(record.Slice(at + 4, length));
        at += 4 + length;
        return field;
    }
}
