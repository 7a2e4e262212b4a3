namespace Hadal.Inference.Constraints.Grammar;

/// <summary>The characters of all names that one text had in objects with names of its own choice.</summary>
internal sealed class NameLog
{
    private int[] _characters = [];

    internal NameLog Copy() => new() { _characters = (int[])_characters.Clone() };

    internal void Write(int place, int character)
    {
        if (place == _characters.Length) Array.Resize(ref _characters, Math.Max(64, 2 * place));
        _characters[place] = character;
    }

    internal ReadOnlySpan<int> Text(int start, int length) => _characters.AsSpan(start, length);

    internal bool IsUsed(NameScope? scope, int start, int length)
    {
        for (var name = scope; name is { Length: >= 0 }; name = name.Earlier)
        {
            if (Text(name.Start, name.Length).SequenceEqual(Text(start, length))) return true;
        }

        return false;
    }
}
