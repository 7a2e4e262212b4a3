using System.Text.Json;
using Hadal.Inference.Constraints.Automata;
using Hadal.Inference.Constraints.Grammar;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>Makes the grammar of an object: the listed properties in the order in which the schemas name them, then others.</summary>
internal sealed class ObjectBuilder(SchemaCompiler compiler, SchemaShape shape)
{
    internal GrammarNode Build()
    {
        var place = shape.Schemas[0];
        if (shape.MinProperties > shape.MaxProperties) return compiler.Never(place, $"no object has at least {shape.MinProperties} and at most {shape.MaxProperties} properties");
        foreach (var schema in shape.Schemas)
        {
            if (schema.Member("patternProperties") is { } patterns && patterns.Members().Any()) throw patterns.Fault("patternProperties is not supported; list the properties or use additionalProperties");
            if (schema.Member("propertyNames") is { } names && names.Element.ValueKind != JsonValueKind.True) throw names.Fault("propertyNames is not supported; list the properties");
        }

        List<string> listed = [];
        HashSet<string> known = new(StringComparer.Ordinal), required = new(StringComparer.Ordinal);
        foreach (var schema in shape.Schemas)
        {
            foreach (var (name, _) in schema.Member("properties")?.Members() ?? [])
            {
                if (known.Add(name)) listed.Add(name);
            }
        }

        foreach (var schema in shape.Schemas)
        {
            foreach (var item in schema.Member("required")?.Items() ?? [])
            {
                required.Add(item.Text());
                if (known.Add(item.Text())) listed.Add(item.Text());
            }
        }

        compiler.Count(listed.Count, place);
        List<ObjectProperty> properties = [];
        foreach (string name in listed)
        {
            var value = compiler.NodeOf([.. shape.Schemas.Select(s => s.Member("properties")?.Member(name) ?? s.Member("additionalProperties")).OfType<SchemaPlace>()]);
            properties.Add(new ObjectProperty(JsonText.Name(name), value, required.Contains(name)));
        }

        List<SchemaPlace> others = [.. shape.Schemas.Select(static s => s.Member("additionalProperties")).OfType<SchemaPlace>()];
        bool closed = others.Exists(static o => o.Element.ValueKind == JsonValueKind.False);
        var otherName = closed ? null : listed.Count == 0 ? JsonText.AnyName : new PatternStringTerminal(NameComplement.Of(listed)) { IsOpenName = true };
        return new ObjectStructure([.. properties], otherName, closed ? null : compiler.NodeOf(others), shape.MinProperties, shape.MaxProperties);
    }
}
