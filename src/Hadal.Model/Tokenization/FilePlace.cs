namespace Hadal.Model.Tokenization;

/// <summary>A place in a file, for errors: the file's name and the path of the field.</summary>
internal readonly record struct FilePlace(string? Path, string? Field)
{
    /// <summary>The place of a named member of this one.</summary>
    internal FilePlace Member(string name) => new(Path, Field is null ? name : $"{Field}.{name}");

    /// <summary>The place of a numbered element of this one.</summary>
    internal FilePlace Element(int index) => new(Path, $"{Field}[{index}]");

    /// <summary>The place of a member whose name is data.</summary>
    internal FilePlace Element(string name) => new(Path, $"{Field}[{Quote(name)}]");

    internal TokenizerException Fault(string message, Exception? inner = null) => new(Path, Field, message, inner);

    /// <summary>Text from a file, cut and cleaned for use in a one-line message, in quotes.</summary>
    internal static string Quote(string text)
    {
        const int Longest = 60;
        return $"\"{Clean(text.Length <= Longest ? text : text[..Longest])}{(text.Length <= Longest ? "" : "…")}\"";
    }

    /// <summary>Text with everything that would break or garble a line written as an escape.</summary>
    internal static string Clean(string text)
        => string.Concat(text.Select(static c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? $"\\u{(int)c:x4}" : $"{c}"));
}
