using System.Runtime.InteropServices;
using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// Splits, at random, tokens that join punctuation and line breaks into the tokens of the punctuation and those of the line breaks. For training data only:
/// such tokens bias prompts that end in punctuation without a line break (report section 4.1). Immutable; may be used from several threads at once.
/// </summary>
/// <remarks>The choice depends on the seed, the document and the token's place alone, so it is the same whatever the order of documents and the number of workers.</remarks>
public sealed class PunctuationNewlineSplit
{
    private readonly int[]?[] _parts;
    private readonly ulong _threshold;
    private readonly bool _always;
    private readonly ulong _seed;

    /// <summary>Finds the tokens that can be split.</summary>
    /// <param name="tokenizer">The tokenizer the ids are from.</param>
    /// <param name="rate">The share of such tokens to split, from 0 to 1. The report does not say which it used.</param>
    /// <param name="seed">Selects one of many random choices.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not between 0 and 1.</exception>
    public PunctuationNewlineSplit(Tokenizer tokenizer, double rate, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (!(rate is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(rate), rate, "The rate has to be between 0 and 1.");
        _always = rate == 1;
        // 2^64 times the rate, exact for every rate below 1.
        _threshold = _always ? ulong.MaxValue : (ulong)(rate * 18446744073709551616.0);
        _seed = seed;
        _parts = new int[tokenizer.VocabularySize][];
        for (int id = 0; id < _parts.Length; id++)
            if (tokenizer.HasToken(id)) _parts[id] = PartsOf(tokenizer, tokenizer.TokenBytes(id));
    }

    /// <summary>How many tokens of the vocabulary can be split.</summary>
    public int SplittableTokens => _parts.Count(static p => p is not null);

    /// <summary>True for a token of punctuation followed by line breaks.</summary>
    public bool CanSplit(int id) => (uint)id < (uint)_parts.Length && _parts[id] is not null;

    /// <summary>The ids of a document with some tokens split. They stand for the same bytes.</summary>
    /// <param name="ids">The document's ids.</param>
    /// <param name="documentId">What names the document, the same in every run.</param>
    public int[] Apply(ReadOnlySpan<int> ids, string documentId)
    {
        List<int> result = new(ids.Length + ids.Length / 16);
        Apply(ids, documentId, result);
        return [.. result];
    }

    /// <summary>The same, appended to a list.</summary>
    /// <param name="ids">The document's ids.</param>
    /// <param name="documentId">What names the document, the same in every run.</param>
    /// <param name="destination">Where the ids go.</param>
    public void Apply(ReadOnlySpan<int> ids, string documentId, List<int> destination)
    {
        ArgumentNullException.ThrowIfNull(documentId);
        ArgumentNullException.ThrowIfNull(destination);
        ulong state = _seed;
        foreach (byte b in MemoryMarshal.AsBytes(documentId.AsSpan())) state = (state ^ b) * 0x100000001B3;
        state = Mix(state ^ (ulong)documentId.Length << 32);
        for (int place = 0; place < ids.Length; place++)
        {
            if (CanSplit(ids[place]) && (_always || Mix(state + (ulong)place * 0x9E3779B97F4A7C15) < _threshold)) destination.AddRange(_parts[ids[place]]!);
            else destination.Add(ids[place]);
        }
    }

    /// <summary>The tokens of the two parts, or null for any other token.</summary>
    private static int[]? PartsOf(Tokenizer tokenizer, ReadOnlySpan<byte> bytes)
    {
        int marks = bytes.LastIndexOfAnyExcept((byte)'\r', (byte)'\n') + 1;
        if (marks == 0 || marks == bytes.Length) return null;
        bool punctuation = false;
        for (int place = 0; place < marks;)
        {
            if (Rune.DecodeFromUtf8(bytes[place..marks], out Rune rune, out int width) != System.Buffers.OperationStatus.Done) return null;
            bool mark = Rune.IsPunctuation(rune) || Rune.IsSymbol(rune);
            // The pre-tokenizer joins one blank to the punctuation behind it.
            if (!mark && !(place == 0 && rune.Value == ' ')) return null;
            punctuation |= mark;
            place += width;
        }

        if (!punctuation) return null;
        string text = Encoding.UTF8.GetString(bytes);
        int cut = text.AsSpan().LastIndexOfAnyExcept('\r', '\n') + 1;
        return [.. tokenizer.Encode(text.AsSpan(0, cut), EncodeOptions.Untrusted), .. tokenizer.Encode(text.AsSpan(cut), EncodeOptions.Untrusted)];
    }

    /// <summary>A bijection of 64-bit words in which every bit depends on every bit (the finaliser of splitmix64).</summary>
    private static ulong Mix(ulong word)
    {
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9;
        word = (word ^ word >> 27) * 0x94D049BB133111EB;
        return word ^ word >> 31;
    }
}
