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
                bool firstItem = true;
                foreach (var item in value.EnumerateArray())
                {
                    if (!firstItem) text.Add((byte)',');
                    firstItem = false;
                    Write(item, text);
                }

                text.Add((byte)']');
                break;
            case JsonValueKind.Object:
                bool first = true;
                text.Add((byte)'{');
                foreach (var (name, member) in SchemaPlace.Distinct(value))
                {
                    if (!first) text.Add((byte)',');
                    first = false;
                    text.AddRange(JsonText.Quote(name));
                    text.Add((byte)':');
                    Write(member, text);
                }

                text.Add((byte)'}');
                break;
            default:
                text.AddRange(Encoding.UTF8.GetBytes(value.GetRawText()));
                break;
        }
    }
}
