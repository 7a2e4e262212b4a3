using System.Text.Json;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>A schema within the schema, and where it is.</summary>
internal readonly record struct SchemaPlace(JsonElement Element, string Pointer)
{
    /// <summary>The value of a keyword, or null; of two of the same name the last.</summary>
    internal SchemaPlace? Member(string keyword)
        => Element.ValueKind == JsonValueKind.Object && Element.TryGetProperty(keyword, out var value) ? new SchemaPlace(value, $"{Pointer}/{Escape(keyword)}") : null;

    /// <summary>The members of an object, each name once.</summary>
    internal IEnumerable<(string Name, SchemaPlace Value)> Members()
    {
        if (Element.ValueKind != JsonValueKind.Object) throw Fault("must be an object");
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (var property in Element.EnumerateObject())
        {
            if (seen.Add(property.Name)) yield return (property.Name, Member(property.Name)!.Value);
        }
    }

    internal IEnumerable<SchemaPlace> Items()
    {
        if (Element.ValueKind != JsonValueKind.Array) throw Fault("must be an array");
        int i = 0;
        foreach (var item in Element.EnumerateArray()) yield return new SchemaPlace(item, $"{Pointer}/{i++}");
    }

    internal string Text() => Element.ValueKind == JsonValueKind.String ? Element.GetString()! : throw Fault("must be a string");

    /// <summary>A number that is not below 0; what 32 bits do not hold counts as the largest that they do.</summary>
    internal int Count()
    {
        if (Element.ValueKind != JsonValueKind.Number || !Element.TryGetDouble(out double value) || value < 0 || value != Math.Floor(value)) throw Fault("must be an integer that is not below 0");
        return value >= int.MaxValue ? int.MaxValue : (int)value;
    }

    internal bool Flag() => Element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Fault("must be true or false"),
    };

    internal ConstraintException Fault(string message) => new(Pointer, message);

    internal static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
