using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// Encodes runs of Han and kana: the run is cut wherever no merge can cross (<see cref="HanKanaBorders"/>), which leaves segments of one or two characters
/// for the most part; those of one character have a table, those of up to four a cache, and longer ones are put together from tokens of whole characters.
/// Immutable once built.
/// </summary>
internal sealed class HanKanaEncoder
{
    private const int NoId = -1;
    private const int MostBytes = 3;

    private readonly PieceEncoder _pieces;
    private readonly HanKanaBorders _borders;
    private readonly HanKanaTrie? _trie;

    // Ids of single characters: -1 for those that are several tokens.
    private readonly int[] _single = new int[HanKanaBorders.Last - HanKanaBorders.First + 1];

    private HanKanaEncoder(TokenizerFile file, PieceEncoder pieces, HanKanaBorders borders)
    {
        (_pieces, _borders) = (pieces, borders);
        _trie = HanKanaTrie.Build(file);
        PairMerger merger = new(file.Merges);
        Span<byte> bytes = stackalloc byte[MostBytes];
        Span<int> ids = stackalloc int[MostBytes];
        for (char c = HanKanaBorders.First; c <= HanKanaBorders.Last; c++)
        {
            int length = new Rune(c).EncodeToUtf8(bytes);
            for (int i = 0; i < length; i++) ids[i] = file.ByteIds[bytes[i]];
            _single[c - HanKanaBorders.First] = merger.Merge(ids[..length]) == 1 ? ids[0] : NoId;
        }
    }

    /// <summary>Null when the file has whole pieces taken without merging.</summary>
    internal static HanKanaEncoder? Build(TokenizerFile file, PieceEncoder pieces)
        => file.IgnoreMerges ? null : new HanKanaEncoder(file, pieces, HanKanaBorders.Find(file));

    /// <summary>True for the letters and marks that the scanner takes for one piece together.</summary>
    internal static bool IsOfRun(char c)
        => (uint)(c - '\u4E00') <= '\u9FA5' - '\u4E00'
            || c is >= HanKanaBorders.First and < '\u3100' && (CharacterKinds.At([c], 0, out _) & (CharacterKinds.Letter | CharacterKinds.Mark)) != 0;

    /// <summary>Encodes the run at a place.</summary>
    /// <param name="text">Well-formed text.</param>
    /// <param name="place">Where a piece starts.</param>
    /// <param name="cache">Ids of short texts.</param>
    /// <param name="pairs">What was asked about pairs of tokens.</param>
    /// <param name="output">Where the ids go.</param>
    /// <returns>Where the run ends; the place itself when there is none.</returns>
    internal int Encode(ReadOnlySpan<char> text, int place, ShortPieceCache cache, TokenPairCache pairs, ref IdBuffer output)
    {
        ref int single = ref MemoryMarshal.GetArrayDataReference(_single);
        while (place < text.Length && IsOfRun(text[place]))
        {
            char last = text[place];
            int end = place + 1;
            while (end < text.Length && IsOfRun(text[end]) && _borders.MayJoin(last, text[end])) last = text[end++];
            ref int next = ref output.Next();
            if (end == place + 1 && (next = Unsafe.Add(ref single, last - HanKanaBorders.First)) != NoId) output.Take(1);
            else EncodeSegment(text[place..end], cache, pairs, ref output);
            place = end;
        }

        return place;
    }

    private void EncodeSegment(ReadOnlySpan<char> segment, ShortPieceCache cache, TokenPairCache pairs, ref IdBuffer output)
    {
        ulong key = ShortPieceCache.KeyOf(segment);
        int found = key == 0 ? 0 : cache.Find(key, ref output.Next());
        if (found > 0)
        {
            output.Take(found);
            return;
        }

        List<int> destination = output.Flushed();
        int first = destination.Count;
        CollectionsMarshal.SetCount(destination, first + segment.Length);
        int count = _trie?.Encode(segment, pairs, CollectionsMarshal.AsSpan(destination)[first..], out _) ?? -1;
        CollectionsMarshal.SetCount(destination, first + Math.Max(0, count));
        if (count < 0) _pieces.Encode(segment, destination);
        if (key != 0) cache.Add(key, CollectionsMarshal.AsSpan(destination)[first..]);
    }
}
