using Hadal.Data.Quality;

namespace Hadal.Data.Decontamination;

/// <summary>The words of a text one after the other as hashes in lower case: runs of letters and digits, and characters of scripts without blanks; all else parts them.</summary>
internal ref struct TextWords(ReadOnlySpan<char> text)
{
    private static readonly CharacterClass[] _classes = CharacterClasses.Table;
    private readonly ReadOnlySpan<char> _text = text;
    private int _next;

    public ulong Hash { get; private set; }

    public int Start { get; private set; }

    public readonly int End => _next;

    /// <summary>Whether the word is one character of a script without blanks.</summary>
    public bool IsIdeograph { get; private set; }

    public bool MoveNext()
    {
        ReadOnlySpan<char> text = _text;
        CharacterClass[] classes = _classes;
        int i = _next;
        while (i < text.Length)
        {
            char c = text[i];
            switch (classes[c])
            {
                case CharacterClass.Letter or CharacterClass.Capital or CharacterClass.Digit:
                    Start = i;
                    ulong hash = WordHash.Add(WordHash.Start, c);
                    for (i++; i < text.Length && classes[text[i]] is CharacterClass.Letter or CharacterClass.Capital or CharacterClass.Digit or CharacterClass.Mark; i++)
                        hash = WordHash.Add(hash, text[i]);
                    (Hash, IsIdeograph, _next) = (hash, false, i);
                    return true;
                case CharacterClass.Ideograph or CharacterClass.FrequentIdeograph:
                    (Hash, Start, IsIdeograph, _next) = (WordHash.Add(WordHash.Start, c), i, true, i + 1);
                    return true;
                case CharacterClass.Surrogate when i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1])
                    && CharacterClasses.Of(new System.Text.Rune(c, text[i + 1])) is CharacterClass.Ideograph or CharacterClass.Letter or CharacterClass.Capital or CharacterClass.Digit:
                    (Hash, Start, IsIdeograph, _next) = (WordHash.Add(WordHash.Add(WordHash.Start, c), text[i + 1]), i, true, i + 2);
                    return true;
                default:
                    i++;
                    break;
            }
        }

        _next = i;
        return false;
    }
}
