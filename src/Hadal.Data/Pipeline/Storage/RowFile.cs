using System.Runtime.InteropServices;
using Hadal.Data.Shards;

namespace Hadal.Data.Pipeline.Storage;

/// <summary>Packed rows on their way into shards: for each row its numbers of pieces and tokens, the pieces, the tokens.</summary>
internal static class RowFile
{
    public const string Name = "rows.bin";

    public sealed class Writer(string folder) : IDisposable
    {
        private readonly FileStream _file = new(Path.Combine(folder, Name), FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);

        public void Add(ReadOnlySpan<RowPiece> pieces, ReadOnlySpan<int> tokens)
        {
            _file.Write(MemoryMarshal.AsBytes((ReadOnlySpan<int>)[pieces.Length, tokens.Length]));
            _file.Write(MemoryMarshal.AsBytes(pieces));
            _file.Write(MemoryMarshal.AsBytes(tokens));
        }

        public void Dispose() => _file.Dispose();
    }

    /// <summary>All rows in order; what is handed out is valid until the next one.</summary>
    public static IEnumerable<(ReadOnlyMemory<RowPiece> Pieces, ReadOnlyMemory<int> Tokens)> Read(string folder)
    {
        using var file = new FileStream(Path.Combine(folder, Name), FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        int[] counts = new int[2], tokens = [];
        RowPiece[] pieces = [];
        while (file.ReadAtLeast(MemoryMarshal.AsBytes(counts.AsSpan()), 8, throwOnEndOfStream: false) == 8)
        {
            if (pieces.Length < counts[0]) pieces = new RowPiece[counts[0] * 2];
            if (tokens.Length < counts[1]) tokens = new int[counts[1]];
            file.ReadExactly(MemoryMarshal.AsBytes(pieces.AsSpan(0, counts[0])));
            file.ReadExactly(MemoryMarshal.AsBytes(tokens.AsSpan(0, counts[1])));
            yield return (pieces.AsMemory(0, counts[0]), tokens.AsMemory(0, counts[1]));
        }
    }
}
