using System.Buffers;
using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// A byte-level BPE tokenizer read from a Hugging Face <c>tokenizer.json</c> or a GGUF file. Immutable; every member may be called from several threads at once.
/// </summary>
/// <remarks>
/// Text is cut at added tokens (leftmost, then longest; those not to be normalised first), the rest goes through the file's normalizer and
/// pre-tokenizer, and every piece is merged by rank. Without a normalizer, which is so for all DeepSeek files, the bytes of the ids are exactly the
/// bytes of the text. A lone surrogate, which has no UTF-8 form, counts as U+FFFD. The file's post-processor, truncation and padding are not
/// applied: whether a begin or end of sentence is added is an option of the call.
/// </remarks>
public sealed class Tokenizer
{
    private readonly Vocabulary _vocabulary;
    private readonly PreTokenizer _preTokenizer;
    private readonly TextNormalizer? _normalizer;
    private readonly AddedTokenTrie _rawTokens;
    private readonly AddedTokenTrie _normalizedTokens;
    private readonly PieceEncoder _pieces;
    private readonly DeepSeekV3Encoder? _deepSeekV3;
    private readonly HashSet<int> _added;

    internal Tokenizer(TokenizerFile file, TokenizerSettings? settings, string? settingsPath)
    {
        _vocabulary = file.Vocabulary;
        _preTokenizer = file.PreTokenizer;
        _normalizer = file.Normalizer;
        _rawTokens = new AddedTokenTrie(file.AddedTokens.Where(static t => !t.Normalized), static text => text);
        _normalizedTokens = new AddedTokenTrie(file.AddedTokens.Where(static t => t.Normalized), text => _normalizer?.Apply(text) ?? text);
        _pieces = new PieceEncoder(file);
        _added = [.. file.AddedTokens.Select(static t => t.Id)];
        if (_preTokenizer.IsDeepSeekV3) _deepSeekV3 = new DeepSeekV3Encoder(_pieces, file);
        Settings = settings ?? new TokenizerSettings();
        FilePlace place = new(settingsPath, null);
        BosId = settings?.BosToken is { } bos ? Named(bos, place.Member("bos_token")) : IdOf(DeepSeekTokens.BeginOfSentence);
        EosId = settings?.EosToken is { } eos ? Named(eos, place.Member("eos_token")) : IdOf(DeepSeekTokens.EndOfSentence);
        PadId = settings?.PadToken is { } pad ? Named(pad, place.Member("pad_token")) : IdOf(DeepSeekTokens.Pad);
    }

    /// <summary>What the tokenizer_config.json said; all defaults where there is none.</summary>
    public TokenizerSettings Settings { get; }

    /// <summary>One more than the highest token id (128,815 for DeepSeek-V3, whose embedding has 129,280 rows). A few ids below may be unused.</summary>
    public int VocabularySize => _vocabulary.Size;

    /// <summary>The id of the begin-of-sentence token: that of tokenizer_config.json, else DeepSeek's if the vocabulary has it.</summary>
    public int? BosId { get; }

    /// <summary>The id of the end-of-sentence token, found like <see cref="BosId"/>.</summary>
    public int? EosId { get; }

    /// <summary>The id of the padding token, found like <see cref="BosId"/>.</summary>
    public int? PadId { get; }

    /// <summary>True when text is cut by the scanner made for DeepSeek-V3's patterns, false when by general regular expressions.</summary>
    internal bool UsesDeepSeekV3Scanner => _preTokenizer.IsDeepSeekV3;

    /// <summary>Loads a tokenizer.</summary>
    /// <param name="path">
    /// A folder with a <c>tokenizer.json</c> (or <c>tokenizer.json.gz</c>), or such a file. A <c>tokenizer_config.json</c> and a
    /// <c>chat_template.jinja</c> beside it are read too. Or a <c>.gguf</c> file: its metadata hold all of that.
    /// </param>
    /// <exception cref="TokenizerException">A file is missing, unreadable, not a tokenizer of the byte-level BPE family, or contradicts itself.</exception>
    /// <exception cref="Checkpoints.CheckpointException">A GGUF file is unreadable or malformed.</exception>
    public static Tokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return TokenizerFolder.Load(path);
    }

    /// <summary>What tells one tokenizer from another: the SHA-256 of a <c>tokenizer.json</c>'s content (unpacked), 64 lower-case hexadecimal digits.</summary>
    /// <param name="path">The folder with it, or the file; of a GGUF file, which has no such content, null is returned.</param>
    /// <exception cref="TokenizerException">It is missing or cannot be read.</exception>
    public static string? FileSha256(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return TokenizerFolder.Sha256(path);
    }

    /// <summary>Reads a tokenizer from the content of a <c>tokenizer.json</c>.</summary>
    /// <param name="utf8">The content; it is copied.</param>
    /// <param name="nameForErrors">What errors call the file.</param>
    /// <param name="settings">What its tokenizer_config.json says, if there is one.</param>
    /// <exception cref="TokenizerException">The content is not a tokenizer of the byte-level BPE family, or contradicts itself.</exception>
    public static Tokenizer Parse(ReadOnlySpan<byte> utf8, string nameForErrors, TokenizerSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(nameForErrors);
        return new Tokenizer(TokenizerFile.Read(utf8.ToArray(), nameForErrors), settings, null);
    }

    /// <summary>Reads a tokenizer from a stream with the content of a <c>tokenizer.json</c>.</summary>
    /// <param name="stream">The content, at most 256 MiB; it is read to its end.</param>
    /// <param name="nameForErrors">What errors call the file.</param>
    /// <param name="settings">What its tokenizer_config.json says, if there is one.</param>
    /// <exception cref="TokenizerException">The content is not a tokenizer of the byte-level BPE family, or contradicts itself.</exception>
    public static Tokenizer Parse(Stream stream, string nameForErrors, TokenizerSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(nameForErrors);
        return new Tokenizer(TokenizerFile.Read(TokenizerFolder.ReadAll(stream, nameForErrors), nameForErrors), settings, null);
    }

    /// <summary>Encodes text.</summary>
    /// <param name="text">Any text; lone surrogates count as U+FFFD. Empty text has no ids.</param>
    /// <param name="options">How; <see cref="EncodeOptions.Default"/> when null.</param>
    /// <exception cref="TokenizerException">An option asks for a token the tokenizer lacks, or a pattern of the file takes too long on this text.</exception>
    public int[] Encode(ReadOnlySpan<char> text, EncodeOptions? options = null)
    {
        List<int> ids = new(text.Length / 3 + 2);
        Encode(text, ids, options);
        return [.. ids];
    }

    /// <summary>Encodes text and appends the ids to a list.</summary>
    /// <param name="text">Any text; lone surrogates count as U+FFFD. Empty text has no ids.</param>
    /// <param name="destination">Where the ids go.</param>
    /// <param name="options">How; <see cref="EncodeOptions.Default"/> when null.</param>
    /// <exception cref="TokenizerException">An option asks for a token the tokenizer lacks, or a pattern of the file takes too long on this text.</exception>
    public void Encode(ReadOnlySpan<char> text, List<int> destination, EncodeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(destination);
        options ??= EncodeOptions.Default;
        if (options.AddBos) destination.Add(BosId ?? throw new TokenizerException("the tokenizer has no begin-of-sentence token to add"));
        if (WellFormedText.Repair(text) is { } repaired) text = repaired;
        EncodeAround(_rawTokens, text, destination, options.AddedTokens);
        if (options.AddEos) destination.Add(EosId ?? throw new TokenizerException("the tokenizer has no end-of-sentence token to add"));
    }

    /// <summary>Turns ids back into text. Bytes that are not UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">Leaves out added tokens marked special.</param>
    /// <exception cref="TokenizerException">An id is not in the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        long length = 0;
        foreach (int id in ids) length += _vocabulary.Bytes(id).Length;
        if (length > Array.MaxLength) throw new TokenizerException($"{ids.Length} ids stand for {length} bytes of text, more than one string can hold");
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)length);
        int count = 0;
        foreach (int id in ids)
        {
            if (skipSpecialTokens && _vocabulary.IsSpecial(id)) continue;
            ReadOnlySpan<byte> bytes = _vocabulary.Bytes(id);
            bytes.CopyTo(buffer.AsSpan(count));
            count += bytes.Length;
        }

        string text = Encoding.UTF8.GetString(buffer, 0, count);
        ArrayPool<byte>.Shared.Return(buffer);
        return text;
    }

    /// <summary>The bytes a token stands for, which may be part of a character; an added token's are the UTF-8 of its text.</summary>
    /// <exception cref="TokenizerException">The id is not in the vocabulary.</exception>
    public ReadOnlySpan<byte> TokenBytes(int id) => _vocabulary.Bytes(id);

    /// <summary>A token as the file spells it: in the byte alphabet ("Ġthe"), or the text of an added token.</summary>
    /// <exception cref="TokenizerException">The id is not in the vocabulary.</exception>
    public string TokenName(int id) => _vocabulary.Name(id);

    /// <summary>The id of a token as the file spells it (see <see cref="TokenName"/>), or null.</summary>
    public int? IdOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _vocabulary.IdOf(name);
    }

    /// <summary>True for an id that stands for a token: those below <see cref="VocabularySize"/> except unused ones.</summary>
    public bool HasToken(int id) => _vocabulary.Has(id);

    /// <summary>True for added tokens marked special, which decoding can leave out.</summary>
    /// <exception cref="TokenizerException">The id is not in the vocabulary.</exception>
    public bool IsSpecial(int id) => _vocabulary.IsSpecial(id);

    /// <summary>True for tokens that stand for themselves rather than for a piece of text: added tokens, special or not, and control tokens.</summary>
    /// <exception cref="TokenizerException">The id is not in the vocabulary.</exception>
    public bool IsAdded(int id) => _vocabulary.IsText(id) || _vocabulary.IsSpecial(id) || _added.Contains(id);

    private int? Named(string name, FilePlace place)
        => IdOf(name) ?? throw place.Fault($"names the token {FilePlace.Quote(name)}, which the tokenizer does not have");

    /// <summary>Cuts text at one kind of added tokens and encodes the stretches between them, which the other kind is looked for in next.</summary>
    private void EncodeAround(AddedTokenTrie tokens, ReadOnlySpan<char> text, List<int> destination, AddedTokenRecognition recognition)
    {
        int place = 0;
        if (recognition != AddedTokenRecognition.None && !tokens.IsEmpty)
        {
            for (int from = 0; tokens.Find(text, from, out int start, out int end) is { } token;)
            {
                from = end;
                if (recognition == AddedTokenRecognition.NotSpecial && token.Special) continue;
                if (token.SingleWord && (EndsInWord(text[..start]) || StartsWithWord(text[end..]))) continue;
                if (token.StripLeft) start = Math.Max(text[..start].TrimEnd().Length, place);
                if (token.StripRight) end = text.Length - text[end..].TrimStart().Length;
                if (place < start) EncodeStretch(tokens, text[place..start], destination, recognition);
                destination.Add(token.Id);
                place = end;
            }
        }

        if (place < text.Length) EncodeStretch(tokens, text[place..], destination, recognition);
    }

    private void EncodeStretch(AddedTokenTrie cutAt, ReadOnlySpan<char> text, List<int> destination, AddedTokenRecognition recognition)
    {
        if (ReferenceEquals(cutAt, _normalizedTokens))
        {
            if (_deepSeekV3 is not null)
            {
                _deepSeekV3.Encode(text, destination);
                return;
            }

            PieceEncoder.Sink sink = new(_pieces, destination);
            _preTokenizer.Split(text, ref sink);
        }
        else
        {
            EncodeAround(_normalizedTokens, _normalizer is null ? text : _normalizer.Apply(text.ToString()), destination, recognition);
        }
    }

    private static bool EndsInWord(ReadOnlySpan<char> text)
        => Rune.DecodeLastFromUtf16(text, out Rune last, out _) == OperationStatus.Done && UnicodeProperties.WordBesideToken.Contains(last.Value);

    private static bool StartsWithWord(ReadOnlySpan<char> text)
        => Rune.DecodeFromUtf16(text, out Rune first, out _) == OperationStatus.Done && UnicodeProperties.WordBesideToken.Contains(first.Value);
}
