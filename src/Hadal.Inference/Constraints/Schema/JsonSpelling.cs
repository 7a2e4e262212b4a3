using System.Text;
using System.Text.Json;
using Hadal.Inference.Constraints.Grammar;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>The one spelling of a listed value: no white space, no more escapes than needed, numbers as the schema writes them.</summary>
internal static class JsonSpelling
{
    internal static byte[] Of(JsonElement value)
    {
        List<byte> text = [];
        Write(value, text);
        return [.. text];
    }

    private static void Write(JsonElement value, List<byte> text)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                text.AddRange(JsonText.Quote(value.GetString()!));
                break;
            case JsonValueKind.Array:
                text.Add((byte)'[');
                for (int i = 0; i < value.GetArrayLength(); i++)
                {
                    if (i > 0) text.Add((byte)',');
                    Write(value[i], text);
                }

                text.Add((byte)']');
                break;
            case JsonValueKind.Object:
                bool first = true;
                HashSet<string> names = new(StringComparer.Ordinal);
                text.Add((byte)'{');
                foreach (var property in value.EnumerateObject())
                {
                    if (!names.Add(property.Name)) continue;
                    if (!first) text.Add((byte)',');
                    first = false;
                    text.AddRange(JsonText.Quote(property.Name));
                    text.Add((byte)':');
                    Write(value.GetProperty(property.Name), text);
                }

                text.Add((byte)'}');
                break;
            default:
                text.AddRange(Encoding.UTF8.GetBytes(value.GetRawText()));
                break;
        }
    }
}
