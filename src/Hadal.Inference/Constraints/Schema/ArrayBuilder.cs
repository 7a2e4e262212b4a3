using System.Text.Json;
using Hadal.Inference.Constraints.Grammar;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>Makes the grammar of an array.</summary>
internal sealed class ArrayBuilder(SchemaCompiler compiler, SchemaShape shape)
{
    internal GrammarNode Build()
    {
        var place = shape.Schemas[0];
        int greatest = shape.MaxItems;
        if (shape.MinItems > greatest) return compiler.Never(place, $"no array has at least {shape.MinItems} and at most {greatest} items");
        foreach (var schema in shape.Schemas)
        {
            if (schema.Member("uniqueItems") is { } unique && unique.Flag() && greatest > 1)
                throw unique.Fault("uniqueItems is not supported, since no automaton remembers the items; leave it out and check afterwards, or set maxItems to 1");
        }

        List<SchemaPlace[]> prefixes = [.. shape.Schemas.Select(Prefix)];
        int prefix = prefixes.Max(static p => p.Length);
        compiler.Count(prefix, place);
        GrammarNode[] first = new GrammarNode[prefix];
        for (int i = 0; i < prefix; i++)
        {
            List<SchemaPlace> items = [];
            for (int s = 0; s < prefixes.Count; s++)
            {
                if (i < prefixes[s].Length) items.Add(prefixes[s][i]);
                else if (Others(shape.Schemas[s]) is { } others) items.Add(others);
            }

            first[i] = compiler.NodeOf(items);
        }

        var rest = compiler.NodeOf([.. shape.Schemas.Select(Others).OfType<SchemaPlace>()]);
        return new ArrayStructure(first, rest, shape.MinItems, greatest);
    }

    private static SchemaPlace[] Prefix(SchemaPlace schema)
    {
        // Until 2019 a list in items meant what prefixItems means now.
        if (schema.Member("prefixItems") is { } prefix) return [.. prefix.Items()];
        return schema.Member("items") is { Element.ValueKind: JsonValueKind.Array } items ? [.. items.Items()] : [];
    }

    private static SchemaPlace? Others(SchemaPlace schema)
        => schema.Member("items") is not { } items ? null : items.Element.ValueKind == JsonValueKind.Array ? schema.Member("additionalItems") : items;
}
