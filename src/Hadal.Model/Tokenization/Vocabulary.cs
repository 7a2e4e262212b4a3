using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// All tokens of a tokenizer, those of the model and the added ones: id to bytes and name, name to id. Names are those of the file: in the byte
/// alphabet for tokens that stand for bytes, the text itself for control tokens and added tokens.
/// </summary>
internal sealed class Vocabulary
{
    private const int Unused = -1;
    private const int GapsAlwaysAllowed = 1024;

    private readonly ByteStringTable _strings;
    private readonly List<int> _idOfString;
    private readonly Dictionary<string, int> _texts = new(StringComparer.Ordinal);
    private readonly HashSet<int> _taken = [];
    private readonly HashSet<int> _special = [];
    private int[] _stringOfId = [];

    internal Vocabulary(int expected)
    {
        _strings = new ByteStringTable(expected);
        _idOfString = new List<int>(expected);
    }

    /// <summary>One more than the highest id, once <see cref="Complete"/> was called.</summary>
    internal int Size => _stringOfId.Length;

    /// <summary>Adds a token that stands for bytes.</summary>
    /// <returns>False, with nothing added, when the vocabulary has those bytes or the id already.</returns>
    internal bool TryAdd(ReadOnlySpan<byte> bytes, int id)
    {
        if (_taken.Contains(id) || _strings.Add(bytes) < 0) return false;
        _taken.Add(id);
        _idOfString.Add(id);
        return true;
    }

    /// <summary>Adds a token that stands for text.</summary>
    /// <returns>False, with nothing added, when the vocabulary has that text or the id already.</returns>
    internal bool TryAddText(string text, int id)
    {
        if (_taken.Contains(id) || !_texts.TryAdd(text, id)) return false;
        _taken.Add(id);
        _strings.AddHidden(Encoding.UTF8.GetBytes(text));
        _idOfString.Add(id);
        return true;
    }

    internal void MarkSpecial(int id) => _special.Add(id);

    /// <summary>Lays the tokens out by id.</summary>
    /// <param name="place">Where the ids were read, for errors.</param>
    internal void Complete(FilePlace place)
    {
        int highest = _taken.Max();
        // Small gaps are real (vocabularies converted from other formats leave single ids out); a wide one is a wrong number.
        if (highest >= 2L * _taken.Count + GapsAlwaysAllowed)
            throw place.Fault($"the highest token id is {highest}, but there are only {_taken.Count} tokens; ids must run from 0 with few gaps");
        _stringOfId = new int[highest + 1];
        Array.Fill(_stringOfId, Unused);
        for (int number = 0; number < _idOfString.Count; number++) _stringOfId[_idOfString[number]] = number;
    }

    internal bool IsTaken(int id) => _taken.Contains(id);

    /// <summary>The id of a token that stands for bytes, or -1.</summary>
    internal int IdOf(ReadOnlySpan<byte> bytes) => _strings.Find(bytes) is >= 0 and int number ? _idOfString[number] : -1;

    /// <summary>The id of a token by its name, or null; of two of the same name, that of the control or added token.</summary>
    internal int? IdOf(string name)
    {
        if (_texts.TryGetValue(name, out int id)) return id;
        byte[] bytes = new byte[name.Length];
        return ByteAlphabet.TryRead(name, bytes) && IdOf(bytes) is >= 0 and int found ? found : null;
    }

    internal bool Has(int id) => (uint)id < (uint)_stringOfId.Length && _stringOfId[id] != Unused;

    internal bool IsSpecial(int id)
    {
        StringOf(id);
        return _special.Contains(id);
    }

    internal string Name(int id)
    {
        ReadOnlySpan<byte> bytes = Bytes(id);
        return _strings.Find(bytes) == StringOf(id) ? ByteAlphabet.Write(bytes) : Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Whether a token was added as text, not as bytes.</summary>
    internal bool IsText(int id) => _strings.Find(Bytes(id)) != StringOf(id);

    internal ReadOnlySpan<byte> Bytes(int id) => _strings[StringOf(id)];

    private int StringOf(int id)
        => Has(id)
            ? _stringOfId[id]
            : throw new TokenizerException(
                $"token id {id} is not in the vocabulary, whose ids run from 0 to {Size - 1}{((uint)id < (uint)Size ? " with gaps" : "")}");
}
