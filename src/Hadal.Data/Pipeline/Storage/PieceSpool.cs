using System.Globalization;
using System.Runtime.InteropServices;
using Hadal.Data.Packing;

namespace Hadal.Data.Pipeline.Storage;

/// <summary>
/// Collects encoded pieces and leaves them as sorted runs, each with a file of tokens in the same order: whoever merges a range of many runs reads each file of tokens from
/// one place on.
/// </summary>
internal sealed class PieceSpool(string folder) : IDisposable
{
    public const string Pieces = "pieces";
    private const int MostTokens = 4 << 20;
    private readonly List<TokenPiece> _pieces = [];
    private readonly List<int> _tokens = [];
    private int _runs;

    public static string TokensOf(string folder, int run) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"tokens.{run:D4}.ids"));

    public void Add(ulong leading, DocumentReference document, int epoch, DocumentPiece piece, ReadOnlySpan<int> tokens)
    {
        if (_tokens.Count > 0 && _tokens.Count + tokens.Length > MostTokens) Flush();
        _pieces.Add(new TokenPiece(leading, document, _tokens.Count, epoch, piece.Offset, piece.Length, _runs));
        _tokens.AddRange(tokens);
    }

    public void Dispose() => Flush();

    private void Flush()
    {
        if (_pieces.Count == 0) return;
        _pieces.Sort();
        using var ids = new FileStream(TokensOf(folder, _runs), FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        using var run = new RecordWriter<TokenPiece>(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Pieces}.{_runs:D4}.run")));
        var all = CollectionsMarshal.AsSpan(_tokens);
        long at = 0;
        foreach (var piece in _pieces)
        {
            ids.Write(MemoryMarshal.AsBytes(all.Slice((int)piece.At, piece.Length)));
            run.Add(piece with { At = at });
            at += piece.Length;
        }

        _runs++;
        _pieces.Clear();
        _tokens.Clear();
    }
}
