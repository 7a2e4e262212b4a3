using System.Text.Json;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>Proves that no value meets two schemas, where that is easy: by types, by fixed values, or by a required property with other fixed values or types in each.</summary>
internal static class SchemaDisjointness
{
    private const int MaxDepth = 4;

    /// <summary>Whether no value meets all schemas of both lists; false when that is not proven.</summary>
    /// <param name="left">Schemas that hold together.</param>
    /// <param name="right">Schemas that hold together.</param>
    /// <param name="resolved">Follows a schema's reference.</param>
    /// <param name="depth">How many properties within each other are being compared.</param>
    internal static bool AreDisjoint(IReadOnlyList<SchemaPlace> left, IReadOnlyList<SchemaPlace> right, Func<SchemaPlace, SchemaPlace> resolved, int depth = 0)
    {
        var common = TypesOf(left) & TypesOf(right);
        if (common == SchemaTypes.None) return true;
        if (ValuesOf(left) is { } a && ValuesOf(right) is { } b && !a.Exists(x => b.Exists(y => JsonElement.DeepEquals(x, y)))) return true;
        if (common != SchemaTypes.Object || depth == MaxDepth) return false;
        var required = RequiredOf(left);
        required.IntersectWith(RequiredOf(right));
        return required.Any(name => PropertyOf(left, name, resolved) is { Count: > 0 } x && PropertyOf(right, name, resolved) is { Count: > 0 } y && AreDisjoint(x, y, resolved, depth + 1));
    }

    private static SchemaTypes TypesOf(IReadOnlyList<SchemaPlace> schemas)
    {
        var types = SchemaTypes.All;
        foreach (var schema in schemas) types &= SchemaShape.TypesOf(schema);
        if (ValuesOf(schemas) is { } values)
        {
            var ofValues = SchemaTypes.None;
            foreach (var value in values) ofValues |= SchemaShape.TypeOf(value);
            types &= ofValues;
        }

        return types;
    }

    private static List<JsonElement>? ValuesOf(IReadOnlyList<SchemaPlace> schemas)
    {
        foreach (var schema in schemas)
        {
            if (schema.Member("const") is { } value) return [value.Element];
            if (schema.Member("enum") is { } values) return [.. values.Items().Select(static v => v.Element)];
        }

        return null;
    }

    private static HashSet<string> RequiredOf(IReadOnlyList<SchemaPlace> schemas)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (var schema in schemas)
        {
            if (schema.Member("required") is { } list) names.UnionWith(list.Items().Select(static n => n.Text()));
        }

        return names;
    }

    private static List<SchemaPlace> PropertyOf(IReadOnlyList<SchemaPlace> schemas, string name, Func<SchemaPlace, SchemaPlace> resolved)
    {
        List<SchemaPlace> found = [];
        foreach (var schema in schemas)
        {
            if (schema.Member("properties")?.Member(name) is { } property) found.Add(resolved(property));
        }

        return found;
    }
}
