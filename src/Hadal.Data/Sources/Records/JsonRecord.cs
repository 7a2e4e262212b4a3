using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Hadal.Data.Sources.Records;

/// <summary>Takes the wanted fields out of the bytes of JSON objects, one at a time.</summary>
/// <param name="fields">The names of the fields.</param>
/// <param name="replaceBytes">Whether bytes that are not UTF-8 become U+FFFD, else the record is bad.</param>
/// <param name="replaceHalves">Whether escaped halves of surrogate pairs become U+FFFD, else the record is bad.</param>
internal sealed class JsonRecord(RecordFields fields, bool replaceBytes, bool replaceHalves)
{
    // Few different sources and languages occur in a file: the strings of the last record serve the next.
    private string? _lastSource;
    private string? _lastLanguage;

    /// <summary>The text; null where the record is bad or blank.</summary>
    public string? Text { get; private set; }

    /// <summary>The record's own name, if it has one that is a string or a number.</summary>
    public string? Id { get; private set; }

    /// <summary>Where it says that it comes from.</summary>
    public string? Source { get; private set; }

    /// <summary>The language that it names.</summary>
    public string? Language { get; private set; }

    /// <summary>What is wrong, as a part of a sentence; null for a good record.</summary>
    public string? Error { get; private set; }

    /// <summary>What was changed to make the record good; null if nothing was.</summary>
    public string? Repair { get; private set; }

    /// <summary>Nothing but white space: neither good nor bad.</summary>
    public bool IsBlank { get; private set; }

    /// <summary>Parses one object.</summary>
    public void Parse(ReadOnlySpan<byte> json)
    {
        Text = Id = Source = Language = Error = Repair = null;
        ReadOnlySpan<byte> trimmed = json.TrimStart(" \t\r\n"u8);
        IsBlank = trimmed.IsEmpty;
        if (IsBlank) return;
        if (trimmed.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            json = trimmed[3..];
            Repair = "a byte order mark stands before the object; it was left out";
        }

        if (!Utf8.IsValid(json))
        {
            if (!replaceBytes)
            {
                Fail("it is not valid UTF-8");
                return;
            }

            json = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json));
            Repair = "it is not valid UTF-8; U+FFFD stands for what is invalid";
        }

        if (!TryParse(json) && replaceHalves)
        {
            TryParse(SurrogateEscapes.Replace(json));
            Repair = "it escapes half of a surrogate pair; U+FFFD stands for it";
        }
    }

    // False where a string escapes half of a surrogate pair, which is the only thing that can be repaired.
    private bool TryParse(ReadOnlySpan<byte> json)
    {
        try
        {
            Error = ParseObject(json);
            return true;
        }
        catch (JsonException e)
        {
            Error = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"it is not JSON (byte {e.BytePositionInLine ?? 0} of the line)");
        }
        catch (InvalidOperationException)
        {
            Fail("a string escapes half of a surrogate pair");
            return false;
        }

        Text = null;
        return true;
    }

    private void Fail(string error)
    {
        Error = error;
        Text = null;
    }

    private string? ParseObject(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 64 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return "it is not a JSON object";
        bool seenText = false, seenId = false, seenSource = false;
        int language = int.MaxValue;
        string? error = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int step = 0;
            if (fields.Nested is { } nested ? (step = nested.Match(ref reader)) > 0 : reader.ValueTextEquals(fields.Text))
            {
                if (seenText) error ??= Twice(fields.Text);
                seenText = true;
                reader.Read();
                if (fields.Nested is not null) error ??= ReadNested(ref reader, step);
                else if (reader.TokenType == JsonTokenType.String) error ??= ReadText(ref reader);
                else error ??= $"\"{Encoding.UTF8.GetString(fields.Text)}\" is {NameOf(reader.TokenType)}, not a string";
                if (reader.TokenType != JsonTokenType.String) reader.Skip();
            }
            else if (reader.ValueTextEquals(fields.Id))
            {
                if (seenId) error ??= Twice(fields.Id);
                seenId = true;
                reader.Read();
                if (reader.TokenType == JsonTokenType.String) Id = reader.GetString();
                else if (reader.TokenType == JsonTokenType.Number) Id = Encoding.UTF8.GetString(reader.ValueSpan);
                else reader.Skip();
            }
            else if (reader.ValueTextEquals(fields.Source))
            {
                if (seenSource) error ??= Twice(fields.Source);
                seenSource = true;
                reader.Read();
                if (reader.TokenType == JsonTokenType.String) Source = Repeated(ref reader, ref _lastSource);
                else reader.Skip();
            }
            else
            {
                int which = LanguageField(ref reader);
                reader.Read();
                if (which >= 0 && which == language) error ??= Twice(fields.Languages[which]);
                if (which >= 0 && which < language && reader.TokenType == JsonTokenType.String)
                {
                    Language = Repeated(ref reader, ref _lastLanguage);
                    language = which;
                }
                else
                {
                    reader.Skip();
                }
            }
        }

        // The reader refuses anything but white space after the object.
        reader.Read();
        if (error is null && !seenText) error = $"it has no string \"{Encoding.UTF8.GetString(fields.Text)}\"";
        if (error is not null) Text = null;
        return error;
    }

    private string? ReadText(ref Utf8JsonReader reader)
    {
        // An escape of six bytes may stand for one byte of text, so an escaped text is measured after it was unescaped, within what the line allows.
        int length = reader.ValueSpan.Length;
        if (!reader.ValueIsEscaped && fields.TooLong(length) is { } tooLong) return tooLong;
        Text = reader.GetString()!;
        return reader.ValueIsEscaped && fields.TooLong(length) is not null ? fields.TooLong(Encoding.UTF8.GetByteCount(Text)) : null;
    }

    private string? ReadNested(ref Utf8JsonReader reader, int step)
    {
        Text = fields.Nested!.Read(ref reader, step, out string? error);
        return error ?? fields.TooLong(Encoding.UTF8.GetByteCount(Text));
    }

    private int LanguageField(ref Utf8JsonReader reader)
    {
        for (int i = 0; i < fields.Languages.Count; i++)
        {
            if (reader.ValueTextEquals(fields.Languages[i])) return i;
        }

        return -1;
    }

    private static string Twice(byte[] field) => $"the key \"{Encoding.UTF8.GetString(field)}\" stands twice";

    private static string Repeated(ref Utf8JsonReader reader, ref string? last)
    {
        if (last is not null && reader.ValueTextEquals(last)) return last;
        return last = reader.GetString()!;
    }

    /// <summary>A kind of value, for errors.</summary>
    public static string NameOf(JsonTokenType token) => token switch
    {
        JsonTokenType.Null => "null",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a truth value",
        JsonTokenType.StartArray => "an array",
        _ => "an object",
    };
}
