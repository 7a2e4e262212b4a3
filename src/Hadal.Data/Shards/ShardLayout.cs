using System.Buffers.Binary;

namespace Hadal.Data.Shards;

/// <summary>Names and bytes of the format; all numbers are little-endian.</summary>
/// <remarks>
/// <c>.documents</c>: 16 bytes of header (<see cref="Magic"/>, u32 version, u32 zero); 24 bytes a piece, in the order of the rows; u32 the first piece of each row and, last, the number
/// of pieces; u64 rows, u64 pieces.
/// </remarks>
internal static class ShardLayout
{
    public const int Version = 1, HeaderBytes = 16, PieceBytes = 24, FooterBytes = 16, IndexEvery = 1024, MostRowTokens = 1 << 24, MostGroups = 1024;
    public const string Dataset = "dataset.json", TokensSuffix = ".tokens", DocumentsSuffix = ".documents", DocumentTable = "documents.jsonl", DocumentIndex = "documents.index";
    public const string TemporarySuffix = ".tmp";

    public static ReadOnlySpan<byte> Magic => "HADALDOC"u8;

    public static int TokenBytes(int vocabularySize) => vocabularySize <= 1 << 16 ? 2 : 4;

    public static long DocumentsBytes(long rows, long pieces) => HeaderBytes + PieceBytes * pieces + 4 * (rows + 1) + FooterBytes;

    public static void WriteHeader(Span<byte> header)
    {
        header.Clear();
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Version);
    }

    public static void WritePiece(RowPiece piece, Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, piece.Document);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], piece.Epoch);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], piece.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], piece.Start);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], piece.Length);
    }

    public static RowPiece ReadPiece(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]));
}
