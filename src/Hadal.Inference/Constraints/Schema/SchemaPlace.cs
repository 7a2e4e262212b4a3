using System.Text.Json;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>A schema within the schema, and where it is.</summary>
internal readonly record struct SchemaPlace(JsonElement Element, string Pointer)
{
    private const int MaxPointer = 2048;

    /// <summary>The value of a keyword, or null; of two of the same name the last.</summary>
    internal SchemaPlace? Member(string keyword)
        => Element.ValueKind == JsonValueKind.Object && Element.TryGetProperty(keyword, out var value) ? At(keyword, value) : null;

    /// <summary>The members of an object, each name once.</summary>
    internal IEnumerable<(string Name, SchemaPlace Value)> Members()
    {
        if (Element.ValueKind != JsonValueKind.Object) throw Fault("must be an object");
        foreach (var (name, value) in Distinct(Element)) yield return (name, At(name, value));
    }

    /// <summary>The members of an object in order, of two of the same name the last at the place of the first.</summary>
    internal static IEnumerable<(string Name, JsonElement Value)> Distinct(JsonElement element)
    {
        OrderedDictionary<string, JsonElement> members = new(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject()) members[property.Name] = property.Value;
        return members.Select(static m => (m.Key, m.Value));
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

    private SchemaPlace At(string name, JsonElement value)
        => Pointer.Length + name.Length <= MaxPointer
            ? new SchemaPlace(value, $"{Pointer}/{Escape(name)}")
            : throw Fault($"the names that lead to a place below have more than {MaxPointer:N0} characters together");

    private static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
