using System.Numerics;
using System.Text;
using System.Text.Json;
using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>What schemas that all hold for one value say about values of each type, but for what is within arrays and objects.</summary>
internal sealed class SchemaShape
{
    private JsonDecimal? _least, _greatest, _multiple;
    private bool _leastExclusive, _greatestExclusive;

    internal SchemaShape(IReadOnlyList<SchemaPlace> schemas)
    {
        Schemas = schemas;
        foreach (var schema in schemas) Add(schema);
    }

    internal IReadOnlyList<SchemaPlace> Schemas { get; }

    internal SchemaTypes Types { get; private set; } = SchemaTypes.All;

    /// <summary>The only values there are; null when they are not listed.</summary>
    internal List<SchemaPlace>? Values { get; private set; }

    internal int MinLength { get; private set; }

    internal int MaxLength { get; private set; } = int.MaxValue;

    internal List<SchemaPlace> Patterns { get; } = [];

    internal List<SchemaPlace> Formats { get; } = [];

    internal int MinItems { get; private set; }

    internal int MaxItems { get; private set; } = int.MaxValue;

    internal int MinProperties { get; private set; }

    internal int MaxProperties { get; private set; } = int.MaxValue;

    internal NumberBounds Bounds(bool integer) => new(integer, _least, _leastExclusive, _greatest, _greatestExclusive, _multiple);

    internal static SchemaTypes TypeOf(JsonElement value)
        => value.ValueKind switch
        {
            JsonValueKind.Null => SchemaTypes.Null,
            JsonValueKind.True or JsonValueKind.False => SchemaTypes.Boolean,
            JsonValueKind.String => SchemaTypes.String,
            JsonValueKind.Array => SchemaTypes.Array,
            JsonValueKind.Object => SchemaTypes.Object,
            _ => JsonDecimal.Parse(value) is { Scale: > 0 } ? SchemaTypes.Fraction : SchemaTypes.Number,
        };

    /// <summary>The types a schema allows: those it names, else those that its keywords are about.</summary>
    internal static SchemaTypes TypesOf(SchemaPlace schema)
    {
        var types = SchemaTypes.None;
        if (schema.Member("type") is { } type)
        {
            if (type.Element.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in type.Items()) types |= Named(item);
            }
            else
            {
                types = Named(type);
            }

            return schema.Member("nullable") is { } nullable && nullable.Flag() ? types | SchemaTypes.Null : types;
        }

        if (schema.Member("enum") is not null || schema.Member("const") is not null) return SchemaTypes.All;
        foreach (var (keyword, _) in schema.Members()) types |= SchemaKeywords.OfType.GetValueOrDefault(keyword);
        return types == SchemaTypes.None ? SchemaTypes.All : types;
    }

    private static SchemaTypes Named(SchemaPlace type)
        => type.Text() switch
        {
            "null" => SchemaTypes.Null,
            "boolean" => SchemaTypes.Boolean,
            "object" => SchemaTypes.Object,
            "array" => SchemaTypes.Array,
            "string" => SchemaTypes.String,
            "integer" => SchemaTypes.Integer,
            "number" => SchemaTypes.Number,
            _ => throw type.Fault("is no type; types are null, boolean, object, array, string, integer and number"),
        };

    private void Add(SchemaPlace schema)
    {
        Types &= TypesOf(schema);
        if (schema.Member("enum") is { } list) Restrict([.. list.Items()]);
        if (schema.Member("const") is { } constant) Restrict([constant]);
        if (schema.Member("minLength") is { } minLength) MinLength = Math.Max(MinLength, minLength.Count());
        if (schema.Member("maxLength") is { } maxLength) MaxLength = Math.Min(MaxLength, maxLength.Count());
        if (schema.Member("minItems") is { } minItems) MinItems = Math.Max(MinItems, minItems.Count());
        if (schema.Member("maxItems") is { } maxItems) MaxItems = Math.Min(MaxItems, maxItems.Count());
        if (schema.Member("minProperties") is { } minProperties) MinProperties = Math.Max(MinProperties, minProperties.Count());
        if (schema.Member("maxProperties") is { } maxProperties) MaxProperties = Math.Min(MaxProperties, maxProperties.Count());
        if (schema.Member("pattern") is { } pattern) Patterns.Add(pattern);
        if (schema.Member("format") is { } format) Formats.Add(format);
        AddNumbers(schema);
    }

    private void AddNumbers(SchemaPlace schema)
    {
        var (minimum, exclusiveMinimum) = (schema.Member("minimum"), schema.Member("exclusiveMinimum"));
        // Draft 4 has flags beside the bounds.
        bool above = exclusiveMinimum?.Element.ValueKind == JsonValueKind.True, isFlag = above || exclusiveMinimum?.Element.ValueKind == JsonValueKind.False;
        if (minimum is { } least) AddLeast(Number(least), above);
        if (!isFlag && exclusiveMinimum is { } over) AddLeast(Number(over), true);
        var (maximum, exclusiveMaximum) = (schema.Member("maximum"), schema.Member("exclusiveMaximum"));
        bool below = exclusiveMaximum?.Element.ValueKind == JsonValueKind.True;
        isFlag = below || exclusiveMaximum?.Element.ValueKind == JsonValueKind.False;
        if (maximum is { } greatest) AddGreatest(Number(greatest), below);
        if (!isFlag && exclusiveMaximum is { } under) AddGreatest(Number(under), true);
        if (schema.Member("multipleOf") is not { } multipleOf) return;
        var multiple = Number(multipleOf);
        if (multiple.Mantissa.Sign <= 0) throw multipleOf.Fault("must be above 0");
        if (_multiple is { } other)
        {
            int scale = Math.Max(multiple.Scale, other.Scale);
            BigInteger a = multiple.ScaledTo(scale), b = other.ScaledTo(scale);
            multiple = Shortest(a / BigInteger.GreatestCommonDivisor(a, b) * b, scale);
        }

        if (!NumberAutomaton.IsSupported(multiple)) throw multipleOf.Fault("is not supported: a multiple has at most 100,000 as its digits without the point");
        _multiple = multiple;
    }

    private static JsonDecimal Shortest(BigInteger mantissa, int scale)
    {
        while (scale > 0 && mantissa % 10 == 0) (mantissa, scale) = (mantissa / 10, scale - 1);
        return new JsonDecimal(mantissa, scale);
    }

    private static JsonDecimal Number(SchemaPlace place)
        => place.Element.ValueKind != JsonValueKind.Number
            ? throw place.Fault("must be a number")
            : JsonDecimal.Parse(place.Element) ?? throw place.Fault($"has more than {JsonDecimal.MaxDigits} digits when it is written without an exponent");

    private void AddLeast(JsonDecimal value, bool exclusive)
    {
        int order = _least is null ? 1 : value.CompareTo(_least);
        if (order > 0) (_least, _leastExclusive) = (value, exclusive);
        else if (order == 0) _leastExclusive |= exclusive;
    }

    private void AddGreatest(JsonDecimal value, bool exclusive)
    {
        int order = _greatest is null ? -1 : value.CompareTo(_greatest);
        if (order < 0) (_greatest, _greatestExclusive) = (value, exclusive);
        else if (order == 0) _greatestExclusive |= exclusive;
    }

    private void Restrict(List<SchemaPlace> values)
    {
        if (Values is null)
        {
            Values = values;
            return;
        }

        var keys = values.Select(static v => KeyOf(v.Element)).ToHashSet(StringComparer.Ordinal);
        Values = [.. Values.Where(v => keys.Contains(KeyOf(v.Element)))];
    }

    /// <summary>The same text for equal values; numbers within arrays and objects count as equal only if they are spelled so.</summary>
    private static string KeyOf(JsonElement value)
        => value.ValueKind == JsonValueKind.Number && JsonDecimal.Parse(value) is { } number ? number.ToString() : Encoding.UTF8.GetString(JsonSpelling.Of(value));
}
