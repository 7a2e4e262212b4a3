using System.Text.Json;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>Proves that no value meets two schemas, where that is easy: by types, by fixed values, or by a required property with other fixed values or types in each.</summary>
internal sealed class SchemaDisjointness(Func<SchemaPlace, SchemaPlace> resolved)
{
    private const int MaxDepth = 4;
    private const int MaxComparisons = 1_000_000;

    private int _comparisons;

    /// <summary>Whether no value meets all schemas of both lists; false when that is not proven.</summary>
    /// <param name="left">Schemas that hold together.</param>
    /// <param name="right">Schemas that hold together.</param>
    /// <param name="depth">How many properties within each other are being compared.</param>
    internal bool AreDisjoint(IReadOnlyList<SchemaPlace> left, IReadOnlyList<SchemaPlace> right, int depth = 0)
    {
        var common = TypesOf(left) & TypesOf(right);
        if (common == SchemaTypes.None) return true;
        if (ValuesOf(left) is { } a && ValuesOf(right) is { } b && !a.Exists(x => b.Exists(y => AreEqual(x, y)))) return true;
        if (common != SchemaTypes.Object || depth == MaxDepth) return false;
        var required = RequiredOf(left);
        required.IntersectWith(RequiredOf(right));
        return required.Any(name => PropertyOf(left, name) is { Count: > 0 } x && PropertyOf(right, name) is { Count: > 0 } y && AreDisjoint(x, y, depth + 1));
    }

    /// <summary>Equal, or not compared since there was too much to compare.</summary>
    private bool AreEqual(JsonElement x, JsonElement y) => ++_comparisons > MaxComparisons || JsonElement.DeepEquals(x, y);

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

    private List<SchemaPlace> PropertyOf(IReadOnlyList<SchemaPlace> schemas, string name)
    {
        List<SchemaPlace> found = [];
        foreach (var schema in schemas)
        {
            if (schema.Member("properties")?.Member(name) is { } property) found.Add(resolved(property));
        }

        return found;
    }
}
