using System.Text.Json;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>
/// Writes what applies to one value as alternatives, in each of which some schemas hold together: references and <c>allOf</c> add to all alternatives, <c>anyOf</c> and
/// <c>oneOf</c> multiply them.
/// </summary>
internal sealed class SchemaExpansion
{
    private const int MaxWorkPerNode = 100;

    private readonly HashSet<string> _path = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<SchemaPlace[]>> _known = new(StringComparer.Ordinal);
    private readonly SchemaDisjointness _disjointness;
    private readonly JsonElement _root;
    private readonly ConstraintLimits _limits;
    private long _work;

    internal SchemaExpansion(JsonElement root, ConstraintLimits limits)
    {
        (_root, _limits) = (root, limits);
        _disjointness = new SchemaDisjointness(Resolved);
    }

    /// <summary>The alternatives of schemas that all hold for one value. Each names its schemas once, in the order met; none when nothing can hold.</summary>
    internal List<SchemaPlace[]> Expand(IEnumerable<SchemaPlace> schemas)
    {
        List<SchemaPlace[]> result = [[]];
        foreach (var schema in schemas) result = Both(result, Expand(schema), schema);
        return result;
    }

    private List<SchemaPlace[]> Expand(SchemaPlace schema)
    {
        switch (schema.Element.ValueKind)
        {
            case JsonValueKind.True:
                return [[]];
            case JsonValueKind.False:
                return [];
            case not JsonValueKind.Object:
                throw schema.Fault("a schema must be an object, true or false");
        }

        if (_known.TryGetValue(schema.Pointer, out var known)) return known;
        if (!_path.Add(schema.Pointer)) throw schema.Fault("refers to itself without anything in between, so that it says nothing");
        if (_path.Count > _limits.MaxSchemaNesting) throw schema.Fault($"references and combinations lead on more than {_limits.MaxSchemaNesting} times ({nameof(ConstraintLimits.MaxSchemaNesting)})");
        foreach (var (keyword, value) in schema.Members())
        {
            if (SchemaKeywords.Refused.TryGetValue(keyword, out string? instead) && !IsVoid(keyword, value))
                throw value.Fault($"{keyword} is not supported; {instead}");
        }

        List<SchemaPlace[]> result = [[schema]];
        if (schema.Member("$ref") is { } reference) result = Both(result, Expand(Resolve(reference)), reference);
        if (schema.Member("allOf") is { } all)
        {
            foreach (var member in NotEmpty(all)) result = Both(result, Expand(member), all);
        }

        if (schema.Member("anyOf") is { } any) result = Both(result, Union(any, false), any);
        if (schema.Member("oneOf") is { } one) result = Both(result, Union(one, true), one);
        _path.Remove(schema.Pointer);
        _known.Add(schema.Pointer, result);
        return result;
    }

    private List<SchemaPlace[]> Union(SchemaPlace keyword, bool exclusive)
    {
        List<List<SchemaPlace[]>> branches = [.. NotEmpty(keyword).Select(Expand)];
        int count = branches.Sum(static b => b.Count);
        if (count > _limits.MaxAlternatives) throw TooMany(keyword);
        if (exclusive)
        {
            for (int a = 0; a < branches.Count; a++)
            {
                for (int b = 0; b < a; b++)
                {
                    if (!branches[a].TrueForAll(x => branches[b].TrueForAll(y => _disjointness.AreDisjoint(x, y))))
                        throw keyword.Fault($"the alternatives {b} and {a} may both hold for a value, which oneOf forbids and no automaton can tell; use anyOf, or a required property with another const in each");
                }
            }
        }

        return [.. branches.SelectMany(static b => b)];
    }

    private List<SchemaPlace[]> Both(List<SchemaPlace[]> left, List<SchemaPlace[]> right, SchemaPlace place)
    {
        if ((long)left.Count * right.Count > _limits.MaxAlternatives) throw TooMany(place);
        List<SchemaPlace[]> result = new(left.Count * right.Count);
        foreach (var l in left)
        {
            foreach (var r in right)
            {
                _work += l.Length + r.Length;
                if (_work > MaxWorkPerNode * (long)_limits.MaxNodes) throw place.Fault($"the combinations of schemas are too many for {_limits.MaxNodes:N0} parts ({nameof(ConstraintLimits.MaxNodes)})");
                result.Add(l.Length == 0 ? r : r.Length == 0 ? l : [.. l.Concat(r).DistinctBy(static p => p.Pointer)]);
            }
        }

        return result;
    }

    private ConstraintException TooMany(SchemaPlace place)
        => place.Fault($"alternatives multiply to more than {_limits.MaxAlternatives} ({nameof(ConstraintLimits.MaxAlternatives)})");

    private static IEnumerable<SchemaPlace> NotEmpty(SchemaPlace list)
        => list.Element.ValueKind == JsonValueKind.Array && list.Element.GetArrayLength() > 0 ? list.Items() : throw list.Fault("must be an array of schemas, at least one");

    /// <summary>Whether a refused keyword says nothing.</summary>
    private static bool IsVoid(string keyword, SchemaPlace value)
        => keyword is "unevaluatedProperties" or "unevaluatedItems" && value.Element.ValueKind == JsonValueKind.True;

    /// <summary>The schemas that hold with one, without alternatives; for comparisons.</summary>
    private SchemaPlace Resolved(SchemaPlace schema)
    {
        for (int i = 0; i < _limits.MaxSchemaNesting && schema.Member("$ref") is { } reference; i++) schema = Resolve(reference);
        return schema;
    }

    private SchemaPlace Resolve(SchemaPlace reference)
    {
        string text = reference.Text();
        if (text is not ['#', ..] || text is ['#', not '/', ..]) throw reference.Fault($"only references within the schema are supported, as \"#\" or \"#/$defs/name\", not {JsonSerializer.Serialize(text)}");
        SchemaPlace place = new(_root, "#");
        if (text.Length == 1) return place;
        foreach (string part in text[2..].Split('/'))
        {
            string name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (place.Element.ValueKind == JsonValueKind.Array)
            {
                if (!int.TryParse(name, out int index) || index < 0 || index >= place.Element.GetArrayLength()) throw Missing();
                place = new SchemaPlace(place.Element[index], $"{place.Pointer}/{index}");
            }
            else
            {
                place = place.Member(name) ?? throw Missing();
            }
        }

        return place;

        ConstraintException Missing() => reference.Fault($"{JsonSerializer.Serialize(text)} leads to nothing in the schema");
    }
}
