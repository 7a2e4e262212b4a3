using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Hadal.Model.Tokenization;

/// <summary>
/// Cuts text by the rules of <see cref="DeepSeekV3Scanner"/> and encodes the pieces in one pass. Pieces that are plainly ASCII and short are cut sixteen
/// characters at a time and found in a cache by their bytes, Han and kana have an encoder of their own, and everything else goes the general way.
/// </summary>
internal sealed class DeepSeekV3Encoder(PieceEncoder pieces, TokenizerFile file)
{
    // Finding tokens of whole characters takes tables that only longer text is worth.
    private const int HanKanaWorthTables = 1 << 13;

    private const int Block = AsciiPieceCache.LongestPiece;
    private const int BufferIds = 4096;

    // What an ASCII character may begin.
    private const byte Other = 0;
    private const byte Letter = 1;
    private const byte Prefix = 2;
    private const byte Punctuation = 3;

    private static readonly byte[] _starts = BuildStarts();

    private readonly Lazy<HanKanaEncoder?> _hanKana = new(() => HanKanaEncoder.Build(file, pieces));

    // Threads may lose counts to each other, which only delays the tables.
    private int _hanKanaSeen;

    // As many as there were encodings at the same time.
    private readonly ConcurrentBag<Workspace> _spare = [];

    /// <summary>Appends the ids of well-formed text.</summary>
    internal void Encode(ReadOnlySpan<char> text, List<int> destination)
    {
        if (!_spare.TryTake(out Workspace? work)) work = new Workspace();
        AsciiPieceCache cache = work.Cache;
        IdBuffer output = new(work.Buffer, destination);
        int place = 0;
        while (place < text.Length)
        {
            int length = text.Length - place > Block ? LengthOfShortPiece(text, place, out Vector128<byte> piece) : NotShort(out piece);
            if (length == 0)
            {
                place = EncodeAnyPiece(text, place, work, ref output);
                continue;
            }

            int found = cache.Find(piece, ref output.Next());
            output.Take(found);
            if (found == 0)
            {
                List<int> list = output.Flushed();
                int first = list.Count;
                pieces.Encode(text.Slice(place, length), list);
                cache.Add(piece, CollectionsMarshal.AsSpan(list)[first..]);
            }

            place += length;
        }

        output.Flushed();
        _spare.Add(work);
    }

    /// <summary>Encodes a piece, or a run of Han and kana, and says where it ends.</summary>
    private int EncodeAnyPiece(ReadOnlySpan<char> text, int place, Workspace work, ref IdBuffer output)
    {
        char first = text[place];
        if (first is >= HanKanaBorders.First and <= HanKanaBorders.Last)
        {
            if (_hanKanaSeen < HanKanaWorthTables)
                _hanKanaSeen += DeepSeekV3Scanner.EndOfPiece(text, place) - place;
            else if (_hanKana.Value?.Encode(text, place, work.ShortPieces, work.Pairs, ref output) is { } endOfRun && endOfRun > place)
                return endOfRun;
        }

        int end = DeepSeekV3Scanner.EndOfPiece(text, place);
        ReadOnlySpan<char> piece = text[place..end];
        ulong key = ShortPieceCache.KeyOf(piece);
        int found = key == 0 ? 0 : work.ShortPieces.Find(key, ref output.Next());
        output.Take(found);
        if (found > 0) return end;
        List<int> list = output.Flushed();
        int count = list.Count;
        pieces.Encode(piece, list);
        if (key != 0) work.ShortPieces.Add(key, CollectionsMarshal.AsSpan(list)[count..]);
        return end;
    }

    private static int NotShort(out Vector128<byte> piece)
    {
        piece = default;
        return 0;
    }

    /// <summary>The length of the piece at a place if it is ASCII, shorter than a block and of a frequent form; else 0.</summary>
    /// <param name="text">The text, which has more than a block of characters from the place on.</param>
    /// <param name="place">Where a piece starts.</param>
    /// <param name="piece">Its bytes, and zeros behind.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LengthOfShortPiece(ReadOnlySpan<char> text, int place, out Vector128<byte> piece)
    {
        ref ushort start = ref Unsafe.As<char, ushort>(ref Unsafe.Add(ref MemoryMarshal.GetReference(text), place));
        // What is not ASCII becomes a byte of 0x80 or more.
        Vector128<byte> bytes = Vector128.NarrowWithSaturation(Vector128.LoadUnsafe(ref start), Vector128.LoadUnsafe(ref start, 8));
        uint letters = Vector128.LessThan((bytes | Vector128.Create((byte)0x20)) - Vector128.Create((byte)'a'), Vector128.Create((byte)26)).ExtractMostSignificantBits();
        piece = bytes;
        if (start >= 0x80) return 0;
        byte kind = _starts[start];
        int length = BitOperations.TrailingZeroCount(~(letters | 1));
        if (kind == Other) return 0;
        if (kind != Letter && length == 1)
        {
            // " ?[\p{P}\p{S}]+[\r\n]*" of ASCII characters.
            Vector128<byte> visible = Vector128.LessThan(bytes - Vector128.Create((byte)'!'), Vector128.Create((byte)94));
            Vector128<byte> digits = Vector128.LessThan(bytes - Vector128.Create((byte)'0'), Vector128.Create((byte)10));
            uint marks = (visible & ~digits).ExtractMostSignificantBits() & ~letters;
            if (kind == Prefix && (start != ' ' || (marks & 2) == 0)) return 0;
            length = BitOperations.TrailingZeroCount(~(marks | 1));
            if (length >= Block || Unsafe.Add(ref start, length) >= 0x80) return 0;
            while (length < Block && Unsafe.Add(ref start, length) is '\r' or '\n') length++;
            if (length >= Block) return 0;
        }
        else if (length >= Block || Unsafe.Add(ref start, length) >= 0x80)
        {
            // Longer than a block, or what follows may belong to it.
            return 0;
        }

        Vector128<byte> within = Vector128.LessThan(Vector128<byte>.Indices, Vector128.Create((byte)length));
        piece = bytes & within;
        return length;
    }

    private static byte[] BuildStarts()
    {
        byte[] starts = new byte[0x80];
        for (int c = 1; c < starts.Length; c++)
        {
            byte kind = CharacterKinds.At([(char)c], 0, out _);
            starts[c] = (kind & CharacterKinds.Letter) != 0 ? Letter
                : (kind & CharacterKinds.AsciiPunctuation) != 0 ? Punctuation
                : (kind & (CharacterKinds.Number | CharacterKinds.LineBreak)) != 0 ? Other
                : Prefix;
        }

        return starts;
    }

    private sealed class Workspace
    {
        internal AsciiPieceCache Cache { get; } = new();

        internal ShortPieceCache ShortPieces { get; } = new();

        internal TokenPairCache Pairs { get; } = new();

        internal int[] Buffer { get; } = new int[BufferIds];
    }
}
