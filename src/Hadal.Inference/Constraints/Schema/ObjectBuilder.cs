using System.Text.Json;
using Hadal.Inference.Constraints.Automata;
using Hadal.Inference.Constraints.Grammar;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>
/// Makes the grammar of an object: the listed properties in the order in which the schemas name them, then others. The names of others are split by the patterns that they
/// match; names that a pattern or <c>propertyNames</c> allows in small number are listed.
/// </summary>
internal sealed class ObjectBuilder(SchemaCompiler compiler, SchemaShape shape)
{
    /// <summary>How many names of a finite set are listed.</summary>
    private const int MaxListedNames = 64;

    /// <summary>How many patterns of names may hold in one place: every combination is a case.</summary>
    private const int MaxNamePatterns = 5;

    private readonly List<Member> _members = [];
    private readonly List<(CharacterAutomaton Automaton, SchemaPlace Place)> _nameSchemas = [];

    internal GrammarNode Build()
    {
        var place = shape.Schemas[0];
        if (shape.MinProperties > shape.MaxProperties) return compiler.Never(place, $"no object has at least {shape.MinProperties} and at most {shape.MaxProperties} properties");
        OrderedDictionary<string, bool> listed = new(StringComparer.Ordinal);
        foreach (var schema in shape.Schemas) Read(schema);
        foreach (var member in _members)
        {
            foreach (string name in member.Properties.Keys) listed.TryAdd(name, false);
        }

        foreach (var schema in shape.Schemas)
        {
            foreach (var item in schema.Member("required")?.Items() ?? []) listed[item.Text()] = true;
        }

        int patterns = _members.Sum(static m => m.Patterns.Count);
        if (patterns > MaxNamePatterns) throw place.Fault($"more than {MaxNamePatterns} patterns of patternProperties hold together here");
        var others = Others(listed, patterns);
        compiler.Count(listed.Count, place);
        compiler.Work((long)listed.Count * _members.Count, place);
        List<ObjectProperty> properties = [];
        foreach (var (name, required) in listed)
        {
            if (!_nameSchemas.TrueForAll(n => n.Automaton.Matches(name)))
            {
                if (required) return compiler.Never(place, $"the property {JsonSerializer.Serialize(name)} is required, but propertyNames forbids its name");
                continue;
            }

            properties.Add(new ObjectProperty(JsonText.Name(name), compiler.NodeOf([.. _members.SelectMany(m => m.Of(name))]), required));
        }

        return new ObjectStructure([.. properties], others, shape.MinProperties, shape.MaxProperties);
    }

    private void Read(SchemaPlace schema)
    {
        Dictionary<string, SchemaPlace> properties = new(StringComparer.Ordinal);
        foreach (var (name, value) in schema.Member("properties")?.Members() ?? []) properties.Add(name, value);
        List<(CharacterAutomaton, SchemaPlace)> patterns = [];
        foreach (var (pattern, value) in schema.Member("patternProperties")?.Members() ?? []) patterns.Add((compiler.Strings.Of(pattern, value), value));
        _members.Add(new Member(properties, patterns, schema.Member("additionalProperties")));
        if (schema.Member("propertyNames") is not { } names || names.Element.ValueKind == JsonValueKind.True) return;
        _nameSchemas.Add((compiler.NamesOf(names), names));
    }

    /// <summary>The names that are not listed, by the patterns that they match; names in finite number are added to the list.</summary>
    private List<(Terminal Name, GrammarNode Value)> Others(OrderedDictionary<string, bool> listed, int patternCount)
    {
        List<(Terminal, GrammarNode)> others = [];
        List<(CharacterAutomaton? Names, SchemaPlace Place, List<SchemaPlace> Values)> cases = [];
        var place = shape.Schemas[0];
        for (int choice = 0; choice < 1 << patternCount; choice++)
        {
            CharacterAutomaton? names = null;
            List<SchemaPlace> values = [];
            int bit = 0;
            foreach (var member in _members)
            {
                bool any = false;
                foreach (var (automaton, value) in member.Patterns)
                {
                    bool matches = (choice >> bit++ & 1) != 0;
                    any |= matches;
                    names = And(names, matches ? automaton : automaton.Complement());
                    if (matches) values.Add(value);
                }

                if (!any && member.Others is { } other) values.Add(other);
            }

            if (values.Exists(static v => v.Element.ValueKind == JsonValueKind.False) || names is { IsEmpty: true }) continue;
            foreach (var (automaton, _) in _nameSchemas) names = And(names, automaton);
            if (names is { IsEmpty: true }) continue;
            cases.Add((names, place, values));
        }

        // Names in finite number could run out in the middle of an object, so they become properties of the list.
        for (int i = cases.Count - 1; i >= 0; i--)
        {
            if (cases[i].Names is not { } names || names.HasEndlessRest) continue;
            if (names.Endless() is { } endless)
            {
                cases[i] = (endless, cases[i].Place, cases[i].Values);
                continue;
            }

            if (names.Texts(MaxListedNames) is not { } texts)
                throw place.Fault($"patterns or propertyNames allow a limited set of more than {MaxListedNames} names, which is not supported; allow names of any length or list the properties");
            foreach (string text in texts) listed.TryAdd(text, false);
            cases.RemoveAt(i);
        }

        foreach (var (names, _, values) in cases)
        {
            var free = listed.Count == 0 ? names : And(names, NameComplement.Of(listed.Keys));
            Terminal name = free is null ? JsonText.AnyName : new PatternStringTerminal(free) { IsOpenName = true };
            others.Add((name, compiler.NodeOf(values)));
        }

        return others;

        CharacterAutomaton? And(CharacterAutomaton? a, CharacterAutomaton b) => a is null ? b : compiler.Strings.Both(a, b, place);
    }

    /// <summary>What one schema says about properties.</summary>
    private sealed record Member(Dictionary<string, SchemaPlace> Properties, List<(CharacterAutomaton Automaton, SchemaPlace Value)> Patterns, SchemaPlace? Others)
    {
        internal IEnumerable<SchemaPlace> Of(string name)
        {
            bool any = Properties.TryGetValue(name, out var property);
            if (any) yield return property;
            foreach (var (automaton, value) in Patterns)
            {
                if (!automaton.Matches(name)) continue;
                any = true;
                yield return value;
            }

            if (!any && Others is { } others) yield return others;
        }
    }
}
