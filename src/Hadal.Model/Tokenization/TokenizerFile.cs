using System.Text.Json;

namespace Hadal.Model.Tokenization;

/// <summary>What a tokenizer.json holds, read and checked.</summary>
internal sealed class TokenizerFile
{
    /// <summary>Files beyond this size are refused; the largest published ones are a tenth of it.</summary>
    internal const int LargestFile = 256 << 20;

    private const int LongestAddedToken = 10_000;
    private const int GapsAlwaysAllowed = 1024;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<AddedToken> _added = [];
    private readonly int[] _byteIds = new int[256];

    private TokenizerFile(JsonField root)
    {
        root.RequireObject();
        Normalizer = StepReader.Normalizer(root.Member("normalizer"));
        PreTokenizer = StepReader.PreTokenizer(root.Member("pre_tokenizer"));
        StepReader.Decoder(root.Member("decoder"));

        JsonField model = root.Member("model").RequireObject();
        RequireByteLevelPairs(model);
        IgnoreMerges = model.Member("ignore_merges").BoolOr(false);
        ReadEntries(model.Member("vocab"));
        Merges = ReadMerges(model.Member("merges"));
        ReadByteIds(model.Member("vocab").Place);
        ReadAddedTokens(root.Member("added_tokens"));
        Vocabulary = LayOut(root.Place);
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

    private static void RequireByteLevelPairs(JsonField model)
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
        HashSet<int> taken = [];
        _ids.EnsureCapacity(vocab.RequireObject().Element.GetPropertyCount());
        foreach (JsonProperty property in vocab.Element.EnumerateObject())
        {
            string name = property.Name;
            int id = new JsonField(property.Value, new FilePlace(vocab.Place.Path, $"{vocab.Place.Field}[{FilePlace.Quote(name)}]")).RequireId();
            if (!taken.Add(id)) throw vocab.Place.Fault($"gives id {id} to two entries, {FilePlace.Quote(NameOf(id))} and {FilePlace.Quote(name)}");
            if (!_ids.TryAdd(name, id)) throw vocab.Place.Fault($"lists the entry {FilePlace.Quote(name)} twice");
        }

        if (_ids.Count == 0) throw vocab.Place.Fault("is empty, but must hold at least the single bytes");
    }

    private string NameOf(int id) => _ids.First(entry => entry.Value == id).Key;

    private MergeTable ReadMerges(JsonField merges)
    {
        MergeTable table = new(merges.RequireArray().Element.GetArrayLength());
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        char[] joined = new char[64];
        int rank = 0;
        foreach (JsonElement element in merges.Element.EnumerateArray())
        {
            (string pair, int split) = Parts(element, merges.Place.Element(rank));
            ReadOnlySpan<char> left = pair.AsSpan(0, split);
            ReadOnlySpan<char> right = pair.AsSpan(split + 1);
            if (joined.Length < pair.Length) joined = new char[pair.Length * 2];
            left.CopyTo(joined);
            right.CopyTo(joined.AsSpan(split));
            table.Add(Id(ids, left, merges, rank), Id(ids, right, merges, rank), rank, Id(ids, joined.AsSpan(0, pair.Length - 1), merges, rank));
            rank++;
        }

        return table;
    }

    private static int Id(Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids, ReadOnlySpan<char> name, JsonField merges, int rank)
        => ids.TryGetValue(name, out int id)
            ? id
            : throw merges.Place.Element(rank).Fault($"needs the token {FilePlace.Quote(name.ToString())}, which model.vocab does not hold");

    /// <summary>Reads "left right" or ["left", "right"]; the result is the first spelling and where its blank is.</summary>
    private static (string Pair, int Split) Parts(JsonElement element, FilePlace place)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            string pair = element.GetString()!;
            int blank = pair.IndexOf(' ');
            if (blank > 0 && blank < pair.Length - 1 && pair.LastIndexOf(' ') == blank) return (pair, blank);
        }
        else if (element.ValueKind == JsonValueKind.Array && element.GetArrayLength() == 2
            && element[0].ValueKind == JsonValueKind.String && element[1].ValueKind == JsonValueKind.String)
        {
            string left = element[0].GetString()!;
            return ($"{left} {element[1].GetString()}", left.Length);
        }

        throw place.Fault("must be two tokens, as \"left right\" or as [\"left\", \"right\"]");
    }

    private void ReadByteIds(FilePlace place)
    {
        for (int b = 0; b < 256; b++)
        {
            string name = ByteAlphabet.CharOf((byte)b).ToString();
            // 0xC0, 0xC1 and 0xF5-0xFF never occur in UTF-8, and vocabularies made from text alone lack them.
            bool neededForText = b is not (0xC0 or 0xC1 or >= 0xF5);
            if (_ids.TryGetValue(name, out int id)) _byteIds[b] = id;
            else if (!neededForText) _byteIds[b] = -1;
            else throw place.Fault($"lacks {FilePlace.Quote(name)}, the entry of the single byte 0x{b:X2}");
        }
    }

    private void ReadAddedTokens(JsonField array)
    {
        if (array.IsNull) return;
        HashSet<int> taken = [];
        HashSet<string> contents = new(StringComparer.Ordinal);
        HashSet<int> modelIds = [.. _ids.Values];
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

            if (!taken.Add(id)) throw field.Place.Fault($"gives id {id}, which another added token has");
            if (!contents.Add(content)) throw field.Place.Fault($"lists {FilePlace.Quote(content)} a second time");
            if (_ids.TryGetValue(content, out int inModel) ? inModel != id : modelIds.Contains(id))
                throw field.Place.Fault($"gives {FilePlace.Quote(content)} the id {id}, but model.vocab "
                    + (inModel != id && _ids.ContainsKey(content) ? $"gives it the id {inModel}" : "gives that id to another token"));
        }
    }

    private Vocabulary LayOut(FilePlace place)
    {
        int highest = Math.Max(_ids.Values.Max(), _added.Count == 0 ? 0 : _added.Max(static t => t.Id));
        long tokens = _ids.Count + _added.Count(t => !_ids.ContainsKey(t.Content));
        // Small gaps are real (vocabularies converted from other formats leave single ids out); a wide one is a wrong number.
        if (highest >= 2 * tokens + GapsAlwaysAllowed)
            throw place.Fault($"the highest token id is {highest}, but there are only {tokens} tokens; ids must run from 0 with few gaps");
        return new Vocabulary(_ids, _added, highest + 1);
    }
}
