using System.Runtime.InteropServices;
using System.Text.Json;

namespace Hadal.Model.Tokenization;

/// <summary>What a tokenizer.json holds, read and checked.</summary>
internal sealed class TokenizerFile
{
    /// <summary>Files beyond this size are refused; the largest published ones are a tenth of it.</summary>
    internal const int LargestFile = 256 << 20;

    private const int LongestAddedToken = 10_000;

    private readonly List<AddedToken> _added = [];
    private readonly int[] _byteIds = new int[256];
    private byte[] _scratch = new byte[256];

    private TokenizerFile(JsonField root)
    {
        root.RequireObject();
        Normalizer = StepReader.Normalizer(root.Member("normalizer"));
        PreTokenizer = StepReader.PreTokenizer(root.Member("pre_tokenizer"));
        StepReader.Decoder(root.Member("decoder"));

        JsonField model = root.Member("model").RequireObject();
        RequirePlainPairs(model);
        IgnoreMerges = model.Member("ignore_merges").BoolOr(false);
        JsonField vocab = model.Member("vocab").RequireObject();
        Vocabulary = new Vocabulary(vocab.Element.GetPropertyCount());
        ReadEntries(vocab);
        ReadByteIds(vocab.Place);
        Merges = ReadMerges(model.Member("merges"));
        ReadAddedTokens(root.Member("added_tokens"));
        Vocabulary.Complete(root.Place);
    }

    internal TextNormalizer? Normalizer { get; }

    internal PreTokenizer PreTokenizer { get; }

    internal bool IgnoreMerges { get; }

    internal MergeTable Merges { get; }

    internal Vocabulary Vocabulary { get; }

    internal IReadOnlyList<AddedToken> AddedTokens => _added;

    /// <summary>The id of each single byte; -1 for bytes that no UTF-8 text contains and the file leaves out.</summary>
    internal ReadOnlySpan<int> ByteIds => _byteIds;

    internal static TokenizerFile Read(ReadOnlyMemory<byte> utf8, string path) => JsonField.Read(utf8, path, static root => new TokenizerFile(root));

    private static void RequirePlainPairs(JsonField model)
    {
        JsonField type = model.Member("type");
        if (!type.IsNull && type.RequireString() is var name && name != "BPE")
            throw type.Place.Fault($"is {FilePlace.Quote(name)}, but must be \"BPE\"");
        foreach (string affix in (ReadOnlySpan<string>)["continuing_subword_prefix", "end_of_word_suffix"])
        {
            JsonField field = model.Member(affix);
            if (!field.IsNull && field.RequireString().Length > 0) throw field.Place.Fault("is set, but must be null or empty for a byte-level tokenizer");
        }

        JsonField dropout = model.Member("dropout");
        if (!dropout.IsNull && (dropout.Element.ValueKind != JsonValueKind.Number || !dropout.Element.TryGetDouble(out double rate) || rate != 0))
            throw dropout.Place.Fault("is set, but must be null or 0: encoding at random is not supported");
    }

    private void ReadEntries(JsonField vocab)
    {
        foreach (JsonProperty property in vocab.Element.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Number || !property.Value.TryGetInt32(out int id) || id < 0)
                throw new JsonField(property.Value, vocab.Place.Element(property.Name)).WrongId();
            bool inAlphabet = InAlphabet(JsonMarshal.GetRawUtf8PropertyName(property), property, out ReadOnlySpan<byte> bytes);
            if (!(inAlphabet ? Vocabulary.TryAdd(bytes, id) : Vocabulary.TryAddText(property.Name, id)))
                throw vocab.Place.Element(property.Name).Fault(Vocabulary.IsTaken(id) ? $"has the id {id}, which another entry has" : "is listed twice");
        }
    }

    private bool InAlphabet(ReadOnlySpan<byte> raw, JsonProperty property, out ReadOnlySpan<byte> bytes)
    {
        // Names are read without making strings of them, except the few that hold an escape.
        if (raw.Contains((byte)'\\'))
        {
            string name = property.Name;
            bytes = Room(name.Length)[..name.Length];
            return ByteAlphabet.TryRead(name, _scratch);
        }

        bool inAlphabet = ByteAlphabet.TryRead(raw, Room(raw.Length), out int count);
        bytes = _scratch.AsSpan(0, count);
        return inAlphabet;
    }

    private MergeTable ReadMerges(JsonField merges)
    {
        MergeTable table = new(merges.RequireArray().Element.GetArrayLength());
        int rank = 0;
        foreach (JsonElement element in merges.Element.EnumerateArray())
        {
            // Both parts are read into one buffer, which then holds the joined token as well.
            (int left, int length) = ReadPair(element, merges.Place, rank);
            ReadOnlySpan<byte> joined = _scratch.AsSpan(0, length);
            int leftId = Vocabulary.IdOf(joined[..left]), rightId = Vocabulary.IdOf(joined[left..]), joinedId = Vocabulary.IdOf(joined);
            if (leftId < 0 || rightId < 0 || joinedId < 0)
            {
                string unknown = ByteAlphabet.Write(leftId < 0 ? joined[..left] : rightId < 0 ? joined[left..] : joined);
                throw merges.Place.Element(rank).Fault($"needs the token {FilePlace.Quote(unknown)}, which model.vocab does not hold");
            }

            table.Add(leftId, rightId, rank++, joinedId);
        }

        return table;
    }

    /// <summary>Reads "left right" or ["left", "right"] into the scratch buffer, as bytes without the blank.</summary>
    private (int Left, int Length) ReadPair(JsonElement element, FilePlace merges, int rank)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            ReadOnlySpan<byte> raw = JsonMarshal.GetRawUtf8Value(element)[1..^1];
            int blank = raw.IndexOf((byte)' ');
            if (!raw.Contains((byte)'\\') && blank > 0)
            {
                Span<byte> room = Room(raw.Length);
                if (ByteAlphabet.TryRead(raw[..blank], room, out int left)
                    && ByteAlphabet.TryRead(raw[(blank + 1)..], room[left..], out int right) && right > 0)
                    return (left, left + right);
            }

            string pair = element.GetString()!;
            blank = pair.IndexOf(' ');
            if (blank > 0 && Pair(pair[..blank], pair[(blank + 1)..]) is { } read) return read;
        }
        else if (element.ValueKind == JsonValueKind.Array && element.GetArrayLength() == 2
            && element[0].ValueKind == JsonValueKind.String && element[1].ValueKind == JsonValueKind.String
            && Pair(element[0].GetString()!, element[1].GetString()!) is { } read)
        {
            return read;
        }

        throw merges.Element(rank).Fault("must be two tokens in the byte alphabet, as \"left right\" or as [\"left\", \"right\"]");
    }

    private (int Left, int Length)? Pair(string left, string right)
    {
        Span<byte> room = Room(left.Length + right.Length);
        return left.Length > 0 && right.Length > 0 && ByteAlphabet.TryRead(left, room) && ByteAlphabet.TryRead(right, room[left.Length..])
            ? (left.Length, left.Length + right.Length)
            : null;
    }

    private Span<byte> Room(int length)
    {
        if (_scratch.Length < length) _scratch = new byte[length * 2];
        return _scratch;
    }

    private void ReadByteIds(FilePlace vocab)
    {
        for (int b = 0; b < 256; b++)
        {
            // 0xC0, 0xC1 and 0xF5-0xFF never occur in UTF-8, and vocabularies made from text alone lack them.
            _byteIds[b] = Vocabulary.IdOf([(byte)b]);
            if (_byteIds[b] < 0 && b is not (0xC0 or 0xC1 or >= 0xF5))
                throw vocab.Fault($"lacks {FilePlace.Quote(ByteAlphabet.CharOf((byte)b).ToString())}, the entry of the single byte 0x{b:X2}");
        }
    }

    private void ReadAddedTokens(JsonField array)
    {
        if (array.IsNull) return;
        HashSet<int> ids = [];
        HashSet<string> contents = new(StringComparer.Ordinal);
        foreach (JsonField field in StepReader.Elements(array))
        {
            int id = field.Member("id").RequireId();
            string content = field.Member("content").RequireString();
            if (content.Length is 0 or > LongestAddedToken)
                throw field.Member("content").Place.Fault($"has {content.Length} characters, but must have 1 to {LongestAddedToken}");
            bool special = field.Member("special").BoolOr(false);
            _added.Add(new AddedToken(
                id, content, field.Member("single_word").BoolOr(false), field.Member("lstrip").BoolOr(false), field.Member("rstrip").BoolOr(false),
                field.Member("normalized").BoolOr(!special), special));
            if (special) Vocabulary.MarkSpecial(id);

            if (!ids.Add(id)) throw field.Place.Fault($"has the id {id}, which another added token has");
            if (!contents.Add(content)) throw field.Place.Fault($"lists {FilePlace.Quote(content)} a second time");
            int? inModel = Vocabulary.IdOf(content);
            if (inModel is null ? !Vocabulary.TryAddText(content, id) : inModel != id)
                throw field.Place.Fault($"gives {FilePlace.Quote(content)} the id {id}, but model.vocab gives "
                    + (inModel is null ? "that id to another token" : $"it the id {inModel}"));
        }
    }
}
