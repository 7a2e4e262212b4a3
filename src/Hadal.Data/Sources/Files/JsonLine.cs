using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Hadal.Data.Sources.Files;

/// <summary>What one line of a JSON-lines file says.</summary>
internal readonly record struct JsonLine
{
    /// <summary>The text, if the line is good.</summary>
    public string? Text { get; private init; }

    /// <summary>The line's own <c>id</c>, if it has one that is a string or a number.</summary>
    public string? Id { get; private init; }

    /// <summary>What is wrong, as a part of a sentence; null for a good line.</summary>
    public string? Error { get; private init; }

    /// <summary>Nothing but white space: neither good nor bad.</summary>
    public bool IsBlank { get; private init; }

    public static JsonLine Bad(string error) => new() { Error = error };

    /// <summary>Parses the bytes of one line. Invalid UTF-8 is replaced by U+FFFD before.</summary>
    public static JsonLine Parse(ReadOnlySpan<byte> line, ReadOnlySpan<byte> textField)
    {
        if (line.Trim(" \t\r\n"u8).IsEmpty) return new JsonLine { IsBlank = true };
        if (!Utf8.IsValid(line)) line = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(line));
        try
        {
            return ParseObject(line, textField);
        }
        catch (JsonException e)
        {
            return Bad($"it is not JSON (byte {e.BytePositionInLine ?? 0} of the line)");
        }
        catch (InvalidOperationException)
        {
            return Bad("a string escapes half of a surrogate pair");
        }
    }

    private static JsonLine ParseObject(ReadOnlySpan<byte> line, ReadOnlySpan<byte> textField)
    {
        var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = 64 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return Bad("it is not a JSON object");
        string? text = null, id = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isText = reader.ValueTextEquals(textField), isId = reader.ValueTextEquals("id"u8);
            reader.Read();
            if (isText && reader.TokenType == JsonTokenType.String) text = reader.GetString();
            else if (isId && reader.TokenType == JsonTokenType.String) id = reader.GetString();
            else if (isId && reader.TokenType == JsonTokenType.Number) id = Encoding.UTF8.GetString(reader.ValueSpan);
            else reader.Skip();
        }

        // The reader refuses anything but white space after the object.
        reader.Read();
        return text is null ? Bad($"it has no string \"{Encoding.UTF8.GetString(textField)}\"") : new JsonLine { Text = text, Id = id };
    }
}
