namespace Hadal.Inference.Constraints.Schema;

/// <summary>Which keywords are understood, and which are refused.</summary>
internal static class SchemaKeywords
{
    /// <summary>Keywords that no automaton keeps, with what to do instead.</summary>
    internal static IReadOnlyDictionary<string, string> Refused { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["not"] = "say what is allowed instead",
        ["if"] = "use anyOf with the cases written out",
        ["then"] = "use anyOf with the cases written out",
        ["else"] = "use anyOf with the cases written out",
        ["dependentRequired"] = "use anyOf with the cases written out",
        ["dependentSchemas"] = "use anyOf with the cases written out",
        ["dependencies"] = "use anyOf with the cases written out",
        ["unevaluatedProperties"] = "use additionalProperties",
        ["unevaluatedItems"] = "use items",
        ["contains"] = "use items or prefixItems",
        ["minContains"] = "use items or prefixItems",
        ["maxContains"] = "use items or prefixItems",
        ["$dynamicRef"] = "use $ref",
        ["$recursiveRef"] = "use $ref",
    };

    /// <summary>Keywords for one type of value: a schema without a type that has one of them means that type.</summary>
    internal static IReadOnlyDictionary<string, SchemaTypes> OfType { get; } = new Dictionary<string, SchemaTypes>(StringComparer.Ordinal)
    {
        ["properties"] = SchemaTypes.Object,
        ["required"] = SchemaTypes.Object,
        ["additionalProperties"] = SchemaTypes.Object,
        ["patternProperties"] = SchemaTypes.Object,
        ["propertyNames"] = SchemaTypes.Object,
        ["minProperties"] = SchemaTypes.Object,
        ["maxProperties"] = SchemaTypes.Object,
        ["items"] = SchemaTypes.Array,
        ["prefixItems"] = SchemaTypes.Array,
        ["additionalItems"] = SchemaTypes.Array,
        ["minItems"] = SchemaTypes.Array,
        ["maxItems"] = SchemaTypes.Array,
        ["uniqueItems"] = SchemaTypes.Array,
        ["minLength"] = SchemaTypes.String,
        ["maxLength"] = SchemaTypes.String,
        ["pattern"] = SchemaTypes.String,
        ["minimum"] = SchemaTypes.Number,
        ["maximum"] = SchemaTypes.Number,
        ["exclusiveMinimum"] = SchemaTypes.Number,
        ["exclusiveMaximum"] = SchemaTypes.Number,
        ["multipleOf"] = SchemaTypes.Number,
    };
}
