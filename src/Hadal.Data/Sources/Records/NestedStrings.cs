using System.Text;
using System.Text.Json;

namespace Hadal.Data.Sources.Records;

/// <summary>
/// Strings below a field of a record: the field's own, those of an array in their order, and of an object those of one member, which the name gives behind a dot
/// (<c>targets.choices</c>) or which is called <c>text</c> (<c>choices: {"text": […], "label": […]}</c>).
/// </summary>
internal sealed class NestedStrings
{
    private readonly byte[][] _path;
    private readonly List<string> _found = [];

    /// <param name="field">The name, with dots before the names of members.</param>
    public NestedStrings(string field)
    {
        Name = field;
        _path = [.. field.Split('.').Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>The whole name.</summary>
    public string Name { get; }

    /// <summary>How many names of the path a key of the record stands for: all where it is the whole name, one where it is the first; 0 for another key.</summary>
    public int Match(ref Utf8JsonReader reader) => reader.ValueTextEquals(Name) ? _path.Length : _path.Length > 1 && reader.ValueTextEquals(_path[0]) ? 1 : 0;

    /// <summary>Reads the value at which the reader stands to its end.</summary>
    /// <param name="reader">Stands at the value.</param>
    /// <param name="step">Names of the path that led here.</param>
    /// <param name="error">What is wrong, as a part of a sentence; null if nothing.</param>
    /// <returns>The strings, a line each; empty where there are none.</returns>
    public string Read(ref Utf8JsonReader reader, int step, out string? error)
    {
        _found.Clear();
        error = Gather(ref reader, step);
        return string.Join('\n', _found);
    }

    // The reader's own bound on depth bounds the recursion.
    private string? Gather(ref Utf8JsonReader reader, int step)
    {
        string? error = null;
        switch (reader.TokenType)
        {
            case JsonTokenType.String when step >= _path.Length:
                _found.Add(reader.GetString()!);
                return null;
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.StartArray:
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) error = Gather(ref reader, step) is { } wrong ? error ?? wrong : error;
                return error;
            case JsonTokenType.StartObject:
                ReadOnlySpan<byte> wanted = step < _path.Length ? _path[step] : "text"u8;
                bool any = false;
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    bool isWanted = reader.ValueTextEquals(wanted);
                    reader.Read();
                    if (!isWanted) reader.Skip();
                    else error = Gather(ref reader, step + 1) is { } wrong ? error ?? wrong : error;
                    any |= isWanted;
                }

                return error ?? (any ? null : $"\"{Name}\" leads to an object without \"{Encoding.UTF8.GetString(wanted)}\"; name the member that holds the strings, such as \"{Name}.text\"");
            default:
                return $"\"{Name}\" leads to {JsonRecord.NameOf(reader.TokenType)}, not to strings";
        }
    }
}
