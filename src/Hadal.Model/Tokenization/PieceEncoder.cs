using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>Turns single pieces into ids: UTF-8, merges by rank, and a cache of what short pieces came to.</summary>
internal sealed class PieceEncoder
{
    private const int StackLimit = 128;

    private readonly int[] _byteIds;
    private readonly PairMerger _merger;
    private readonly PieceCache _cache = new();

    // Set when the file's ignore_merges says that a piece that is a token as a whole is that token.
    private readonly Vocabulary? _wholePieces;

    internal PieceEncoder(TokenizerFile file)
    {
        _byteIds = file.ByteIds.ToArray();
        _merger = new PairMerger(file.Merges);
        _wholePieces = file.IgnoreMerges ? file.Vocabulary : null;
    }

    internal void Encode(ReadOnlySpan<char> piece, List<int> destination)
    {
        if (piece.Length > PieceCache.LongestPiece)
        {
            Merge(piece, destination);
            return;
        }

        if (_cache.TryGet(piece, out uint hash, out ReadOnlySpan<int> ids))
        {
            if (ids.Length == 1) destination.Add(ids[0]);
            else destination.AddRange(ids);
            return;
        }

        int first = destination.Count;
        Merge(piece, destination);
        _cache.Add(piece, hash, CollectionsMarshal.AsSpan(destination)[first..]);
    }

    internal void EncodeMapped(ReadOnlySpan<char> piece, List<int> destination)
    {
        byte[] bytes = new byte[piece.Length];
        ByteAlphabet.TryRead(piece, bytes);
        Merge(bytes, destination);
    }

    private void Merge(ReadOnlySpan<char> piece, List<int> destination)
    {
        int most = checked(piece.Length * 3);
        byte[]? rented = most > StackLimit ? ArrayPool<byte>.Shared.Rent(most) : null;
        Span<byte> bytes = rented ?? stackalloc byte[StackLimit];
        Merge(bytes[..Encoding.UTF8.GetBytes(piece, bytes)], destination);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
    }

    private void Merge(ReadOnlySpan<byte> bytes, List<int> destination)
    {
        if (_wholePieces?.IdOf(bytes) is >= 0 and int whole)
        {
            destination.Add(whole);
            return;
        }

        int first = destination.Count;
        CollectionsMarshal.SetCount(destination, first + bytes.Length);
        Span<int> ids = CollectionsMarshal.AsSpan(destination)[first..];
        for (int i = 0; i < bytes.Length; i++) ids[i] = _byteIds[bytes[i]];
        CollectionsMarshal.SetCount(destination, first + _merger.Merge(ids));
    }

    /// <summary>Appends the ids of every piece it is given.</summary>
    internal readonly ref struct Sink(PieceEncoder encoder, List<int> destination) : IPieceSink
    {
        public void Add(ReadOnlySpan<char> piece) => encoder.Encode(piece, destination);

        public void AddMapped(ReadOnlySpan<char> piece) => encoder.EncodeMapped(piece, destination);
    }
}
