using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hadal.Data.Pipeline.Storage;
using Microsoft.Win32.SafeHandles;

namespace Hadal.Data.Deduplication;

/// <summary>For each document what stays in its place, if it goes: eight bytes a document in a file, none of them in memory.</summary>
internal sealed class KeeperTable : IDisposable
{
    private const int RuleShift = 62;
    private readonly SafeFileHandle _file;
    private readonly long[] _starts;

    private KeeperTable(SafeFileHandle file, long[] starts) => (_file, _starts) = (file, starts);

    /// <summary>A new table in which all documents stay.</summary>
    public static KeeperTable Create(string path, IReadOnlyList<int> documents)
    {
        var table = new KeeperTable(File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite), StartsOf(documents));
        RandomAccess.SetLength(table._file, table._starts[^1] * sizeof(ulong));
        return table;
    }

    /// <summary>A table that is read, or changed.</summary>
    public static KeeperTable Open(string path, IReadOnlyList<int> documents, bool isChanged = false) =>
        new(File.OpenHandle(path, FileMode.Open, isChanged ? FileAccess.ReadWrite : FileAccess.Read, FileShare.Read), StartsOf(documents));

    /// <summary>What stays for a document; none if it stays itself.</summary>
    public (CopyRule Rule, DocumentReference Kept) this[DocumentReference document] => Entry(ReadOne(document));

    /// <summary>The document that stays in the end: keepers may be copies themselves.</summary>
    public DocumentReference Last(DocumentReference document)
    {
        while (this[document] is { Rule: not CopyRule.None } entry) document = entry.Kept;
        return document;
    }

    public void Set(DocumentReference document, CopyRule rule, DocumentReference kept)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, ((ulong)rule << RuleShift) | kept.Value);
        RandomAccess.Write(_file, bytes, Place(document));
    }

    /// <summary>The entries of one part.</summary>
    public (CopyRule Rule, DocumentReference Kept)[] Part(int part)
    {
        ulong[] words = new ulong[_starts[part + 1] - _starts[part]];
        FileBytes.Read(_file, MemoryMarshal.AsBytes(words.AsSpan()), _starts[part] * sizeof(ulong));
        return Array.ConvertAll(words, Entry);
    }

    public void Dispose() => _file.Dispose();

    private static long[] StartsOf(IReadOnlyList<int> documents)
    {
        long[] starts = new long[documents.Count + 1];
        for (int i = 0; i < documents.Count; i++) starts[i + 1] = starts[i] + documents[i];
        return starts;
    }

    private static (CopyRule Rule, DocumentReference Kept) Entry(ulong word) => ((CopyRule)(word >> RuleShift), new DocumentReference(word & ((1UL << RuleShift) - 1)));

    private long Place(DocumentReference document) => (_starts[document.Part] + document.Number) * sizeof(ulong);

    private ulong ReadOne(DocumentReference document)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        FileBytes.Read(_file, bytes, Place(document));
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
