using System.Text.Json;

namespace Hadal.Model.Tokenization;

/// <summary>A JSON value together with its place in the file, so that every reading error can name it.</summary>
internal readonly struct JsonField(JsonElement element, FilePlace place)
{
    private const int DeepestNesting = 32;

    internal JsonElement Element { get; } = element;

    internal FilePlace Place { get; } = place;

    internal bool IsNull => Element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    /// <summary>Parses a document and hands its root to a reader; whatever the parser objects to becomes one <see cref="TokenizerException"/>.</summary>
    internal static T Read<T>(ReadOnlyMemory<byte> utf8, string path, Func<JsonField, T> reader)
    {
        if (utf8.Span.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        FilePlace place = new(path, null);
        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = DeepestNesting });
            return reader(new JsonField(document.RootElement, place));
        }
        catch (JsonException e)
        {
            throw place.Fault($"not a readable JSON document (line {e.LineNumber + 1}, byte {e.BytePositionInLine}): {FirstSentence(e.Message)}", e);
        }
        catch (InvalidOperationException e)
        {
            // The platform reports text it cannot turn into UTF-16 only when the text is asked for.
            throw place.Fault("holds text that is not valid Unicode", e);
        }
    }

    /// <summary>A member, or a field of kind Undefined where it is absent.</summary>
    internal JsonField Member(string name)
    {
        RequireObject();
        return new JsonField(Element.TryGetProperty(name, out JsonElement member) ? member : default, Place.Member(name));
    }

    internal JsonField RequireObject() => Require(JsonValueKind.Object, "an object");

    internal JsonField RequireArray() => Require(JsonValueKind.Array, "an array");

    internal string RequireString() => Require(JsonValueKind.String, "a string").Element.GetString()!;

    internal bool RequireBool()
        => Element.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong("true or false"),
        };

    internal bool BoolOr(bool absent) => IsNull ? absent : RequireBool();

    internal int RequireId()
        => Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out int value) && value >= 0
            ? value
            : throw WrongId();

    internal TokenizerException WrongId() => Wrong("a token id (a whole number from 0 to 2147483647)");

    /// <summary>The error for a value of the wrong kind.</summary>
    internal TokenizerException Wrong(string wanted)
    {
        string found = Element.ValueKind switch
        {
            JsonValueKind.Undefined => "is missing",
            JsonValueKind.Null => "is null",
            JsonValueKind.Object => "is an object",
            JsonValueKind.Array => "is an array",
            JsonValueKind.String => "is a string",
            JsonValueKind.Number => $"is the number {FilePlace.Quote(Element.GetRawText()).Trim('"')}",
            _ => "is a truth value",
        };
        return Place.Fault($"{found}, but must be {wanted}");
    }

    private JsonField Require(JsonValueKind kind, string wanted) => Element.ValueKind == kind ? this : throw Wrong(wanted);

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(". ", StringComparison.Ordinal);
        return FilePlace.Clean((end < 0 ? message : message[..end]).TrimEnd('.'));
    }
}
