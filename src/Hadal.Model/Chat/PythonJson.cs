using System.Globalization;
using System.Text;
using System.Text.Json;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Chat;

/// <summary>
/// JSON as Python's <c>json.dumps(…, ensure_ascii=False)</c> writes it, which is what models saw in training: a blank after each colon and comma,
/// no other white space, everything beyond ASCII as it is. Numbers stay as they were written.
/// </summary>
internal static class PythonJson
{
    /// <summary>Writes JSON text anew.</summary>
    /// <exception cref="TokenizerException">The text is not JSON; the message names it <paramref name="what"/>.</exception>
    internal static string Rewrite(string json, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            StringBuilder text = new(json.Length);
            Append(document.RootElement, text);
            return text.ToString();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter for escapes that are half of a surrogate pair.
            throw new TokenizerException($"{what} is not valid JSON: {e.Message}");
        }
    }

    internal static void Append(JsonElement value, StringBuilder text)
    {
        string between = "";
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                foreach (var member in value.EnumerateObject())
                {
                    Append(member.Name, text.Append(between));
                    Append(member.Value, text.Append(": "));
                    between = ", ";
                }

                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (var element in value.EnumerateArray())
                {
                    Append(element, text.Append(between));
                    between = ", ";
                }

                text.Append(']');
                break;
            case JsonValueKind.String:
                Append(value.GetString()!, text);
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    internal static void Append(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (char c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }

        text.Append('"');
    }
}
