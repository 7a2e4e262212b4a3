using System.Runtime.InteropServices;

namespace Hadal.Model.Tokenization;

/// <summary>All tokens of a tokenizer, those of the model and the added ones: id to bytes and name, name to id.</summary>
internal sealed class Vocabulary
{
    private readonly byte[] _bytes;
    private readonly int[] _offsets;
    private readonly string?[] _names;
    private readonly bool[] _special;
    private readonly Dictionary<string, int> _ids;

    /// <summary>Lays the tokens out by id.</summary>
    /// <param name="ids">Entries of the model, name to id; taken over and extended by the added tokens. Ids are distinct.</param>
    /// <param name="added">The added tokens; one that is also an entry of the model has the same id there.</param>
    /// <param name="size">One more than the highest id.</param>
    internal Vocabulary(Dictionary<string, int> ids, IReadOnlyList<AddedToken> added, int size)
    {
        _names = new string?[size];
        _special = new bool[size];
        bool[] literal = new bool[size];
        foreach ((string name, int id) in ids) _names[id] = name;
        foreach (AddedToken token in added)
        {
            _names[token.Id] = token.Content;
            _special[token.Id] = token.Special;
            literal[token.Id] = true;
            ids[token.Content] = token.Id;
        }

        _ids = ids;
        _offsets = new int[size + 1];
        List<byte> bytes = [];
        for (int id = 0; id < size; id++)
        {
            if (literal[id]) bytes.AddRange(System.Text.Encoding.UTF8.GetBytes(_names[id]!));
            else if (_names[id] is { } name) ByteAlphabet.AppendBytes(name, bytes);
            _offsets[id + 1] = bytes.Count;
        }

        _bytes = CollectionsMarshal.AsSpan(bytes).ToArray();
    }

    internal int Size => _names.Length;

    internal int? IdOf(string name) => _ids.TryGetValue(name, out int id) ? id : null;

    internal bool Has(int id) => (uint)id < (uint)_names.Length && _names[id] is not null;

    internal bool IsSpecial(int id) => _special[Check(id)];

    internal string Name(int id) => _names[Check(id)]!;

    internal ReadOnlySpan<byte> Bytes(int id)
    {
        Check(id);
        return _bytes.AsSpan(_offsets[id].._offsets[id + 1]);
    }

    private int Check(int id)
        => Has(id) ? id : throw new TokenizerException($"token id {id} is not in the vocabulary, whose ids run from 0 to {Size - 1}"
            + ((uint)id < (uint)Size ? " with gaps" : ""));
}
