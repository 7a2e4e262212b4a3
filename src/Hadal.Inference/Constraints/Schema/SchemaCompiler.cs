using System.Text;
using System.Text.Json;
using Hadal.Inference.Constraints.Automata;
using Hadal.Inference.Constraints.Grammar;
using Hadal.Inference.Constraints.Patterns;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>
/// Makes the grammar of a JSON Schema. For every set of schemas that hold for one value there is one node, however often references lead to it; nodes are filled from a
/// list of what is to be done, so that neither depth nor recursion of a schema uses the stack.
/// </summary>
internal sealed class SchemaCompiler
{
    private readonly ConstraintLimits _limits;
    private readonly SchemaExpansion _expansion;
    private readonly Dictionary<string, Alternatives> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GrammarNode> _values = new(StringComparer.Ordinal);
    private readonly Queue<(Alternatives Node, IReadOnlyList<SchemaPlace> Schemas)> _work = [];
    private readonly StringAutomata _strings;
    private ConstraintException? _contradiction;
    private int _count, _enumValues;
    private long _effort;

    private SchemaCompiler(JsonElement root, ConstraintLimits limits)
    {
        _limits = limits;
        _expansion = new SchemaExpansion(root, limits);
        _strings = new StringAutomata(limits);
    }

    internal static GrammarNode Compile(string schema, ConstraintLimits limits)
    {
        limits.Validate();
        if (schema.Length > limits.MaxSchemaBytes || Encoding.UTF8.GetByteCount(schema) > limits.MaxSchemaBytes) throw TooLong(limits);
        try
        {
            using var document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = limits.MaxSchemaNesting });
            return Compile(document.RootElement, limits);
        }
        catch (JsonException e)
        {
            throw new ConstraintException("#", $"the schema is not JSON, or nests more than {limits.MaxSchemaNesting} levels deep ({nameof(ConstraintLimits.MaxSchemaNesting)}): {e.Message}", e);
        }
    }

    internal static GrammarNode Compile(JsonElement schema, ConstraintLimits limits)
    {
        limits.Validate();
        if (schema.ValueKind == JsonValueKind.Undefined) throw new ConstraintException("#", "there is no schema");
        if (Encoding.UTF8.GetByteCount(schema.GetRawText()) > limits.MaxSchemaBytes) throw TooLong(limits);
        if (IsDeeper(schema, limits.MaxSchemaNesting)) throw new ConstraintException("#", $"the schema nests more than {limits.MaxSchemaNesting} levels deep ({nameof(ConstraintLimits.MaxSchemaNesting)})");
        SchemaCompiler compiler = new(schema, limits);
        try
        {
            return compiler.Run(new SchemaPlace(schema, "#"));
        }
        catch (InvalidOperationException e)
        {
            // JSON allows escapes of lone surrogates, which are no text.
            throw new ConstraintException("#", $"a text of the schema is not well-formed Unicode: {e.Message}", e);
        }
    }

    private static ConstraintException TooLong(ConstraintLimits limits) => new("#", $"the schema has more than {limits.MaxSchemaBytes:N0} bytes ({nameof(ConstraintLimits.MaxSchemaBytes)})");

    private static bool IsDeeper(JsonElement element, int levels)
        => element.ValueKind switch
        {
            JsonValueKind.Object => levels == 0 || element.EnumerateObject().Any(p => IsDeeper(p.Value, levels - 1)),
            JsonValueKind.Array => levels == 0 || element.EnumerateArray().Any(i => IsDeeper(i, levels - 1)),
            _ => false,
        };

    private GrammarNode Run(SchemaPlace root)
    {
        var node = NodeOf([root]);
        while (_work.TryDequeue(out var item)) Fill(item.Node, item.Schemas);
        MinimalNesting.Compute(node);
        if (!node.HasText) throw _contradiction ?? root.Fault("no value meets the schema: every one would have to hold another of its kind without end, or nothing is allowed");
        return node;
    }

    /// <summary>The node of schemas that all hold for one value.</summary>
    internal GrammarNode NodeOf(IReadOnlyList<SchemaPlace> schemas)
    {
        if (schemas.All(static s => s.Element.ValueKind == JsonValueKind.True)) return JsonText.AnyValue;
        string key = KeyOf(schemas);
        if (_nodes.TryGetValue(key, out var node)) return node;
        node = new Alternatives();
        _nodes.Add(key, node);
        Count(1, schemas[0]);
        _work.Enqueue((node, schemas));
        return node;
    }

    /// <summary>Notes why something has no value; told if in the end nothing has one.</summary>
    internal Alternatives Never(SchemaPlace place, string message)
    {
        _contradiction ??= place.Fault(message);
        return new Alternatives();
    }

    internal void Count(int nodes, SchemaPlace place)
    {
        _count += nodes;
        if (_count > _limits.MaxNodes) throw place.Fault($"the schema's grammar has more than {_limits.MaxNodes:N0} parts ({nameof(ConstraintLimits.MaxNodes)})");
    }

    internal StringAutomata Strings => _strings;

    /// <summary>Notes work that grows faster than the grammar.</summary>
    internal void Work(long steps, SchemaPlace place)
    {
        _effort += steps;
        if (_effort > 1000L * _limits.MaxNodes) throw place.Fault($"the combinations of schemas are too many for {_limits.MaxNodes:N0} parts ({nameof(ConstraintLimits.MaxNodes)})");
    }

    /// <summary>The strings that a schema of names allows.</summary>
    internal CharacterAutomaton NamesOf(SchemaPlace names)
    {
        var alternatives = _expansion.Expand([names]);
        if (alternatives.Count == 0) return AutomatonProduct.None;
        if (alternatives is not [var alternative]) throw names.Fault("anyOf and oneOf are not supported in propertyNames; use one pattern");
        if (alternative.Length == 0) return AutomatonProduct.All;
        SchemaShape shape = new(alternative);
        if (!shape.Types.HasFlag(SchemaTypes.String) || shape.MinLength > shape.MaxLength) return AutomatonProduct.None;
        var strings = _strings.Of(shape) ?? _strings.OfLength(shape, names);
        if (shape.Values is not { } values) return strings;
        var listed = NameComplement.Of(values.Where(static v => v.Element.ValueKind == JsonValueKind.String).Select(static v => v.Text())).Complement();
        return _strings.Both(strings, listed, names);
    }

    private static string KeyOf(IEnumerable<SchemaPlace> schemas) => string.Join('\n', schemas.Select(static s => s.Pointer).Distinct().Order(StringComparer.Ordinal));

    private void Fill(Alternatives node, IReadOnlyList<SchemaPlace> schemas)
    {
        var alternatives = _expansion.Expand(schemas);
        if (alternatives.Count == 0) Never(schemas[0], "false allows no value");
        Count(alternatives.Count, schemas[0]);
        foreach (var alternative in alternatives)
        {
            if (alternative.Length == 0)
            {
                node.Options.Add(JsonText.AnyValue);
                continue;
            }

            string key = KeyOf(alternative);
            if (!_values.TryGetValue(key, out var value)) _values.Add(key, value = Build(new SchemaShape(alternative)));
            node.Options.Add(value);
        }
    }

    private GrammarNode Build(SchemaShape shape)
    {
        var place = shape.Schemas[0];
        if (shape.Values is { } values) return Listed(shape, values);
        if (shape.Types == SchemaTypes.None) return Never(place, "no type is left: the schemas that hold together here name types without one in common");
        List<GrammarNode> options = [];
        if (shape.Types.HasFlag(SchemaTypes.Object)) options.Add(new ObjectBuilder(this, shape).Build());
        if (shape.Types.HasFlag(SchemaTypes.Array)) options.Add(new ArrayBuilder(this, shape).Build());
        if (shape.Types.HasFlag(SchemaTypes.String)) options.Add(StringOf(shape));
        if ((shape.Types & SchemaTypes.Number) != SchemaTypes.None) options.Add(NumberOf(shape));
        if (shape.Types.HasFlag(SchemaTypes.Boolean)) options.Add(JsonText.Boolean);
        if (shape.Types.HasFlag(SchemaTypes.Null)) options.Add(JsonText.Null);
        return options.Count == 1 ? options[0] : new Alternatives(options);
    }

    private GrammarNode Listed(SchemaShape shape, List<SchemaPlace> values)
    {
        var place = shape.Schemas[0];
        _enumValues += values.Count;
        if (_enumValues > _limits.MaxEnumValues) throw place.Fault($"the schema lists more than {_limits.MaxEnumValues:N0} values ({nameof(ConstraintLimits.MaxEnumValues)})");
        CharacterAutomaton? strings = null;
        List<byte[]> texts = [];
        foreach (var value in values)
        {
            var type = SchemaShape.TypeOf(value.Element);
            if ((type & shape.Types) == SchemaTypes.None) continue;
            if (type == SchemaTypes.Fraction || type == SchemaTypes.Number)
            {
                if (JsonDecimal.Parse(value.Element) is not { } number) throw value.Fault($"has more than {JsonDecimal.MaxDigits} digits when it is written without an exponent");
                if (!shape.Bounds((shape.Types & SchemaTypes.Fraction) == SchemaTypes.None).Contains(number)) continue;
            }

            if (type == SchemaTypes.String)
            {
                string text = value.Text();
                int length = text.EnumerateRunes().Count();
                if (length < shape.MinLength || length > shape.MaxLength) continue;
                if (shape.Patterns.Count + shape.Formats.Count > 0)
                {
                    strings ??= _strings.Of(shape);
                    if (strings is not null && !strings.Matches(text)) continue;
                }
            }

            if (type is SchemaTypes.Object or SchemaTypes.Array && FirstOf(shape, type) is { } keyword)
                throw keyword.Fault("is not supported beside const or enum with arrays or objects; leave it out, since the values are listed");
            texts.Add(JsonSpelling.Of(value.Element));
        }

        return texts.Count > 0 ? new TextSetTerminal(texts) : Never(place, "no value is left: none of those listed meets all that holds here");
    }

    /// <summary>A keyword about values of a type.</summary>
    private static SchemaPlace? FirstOf(SchemaShape shape, SchemaTypes type)
        => shape.Schemas.SelectMany(static s => s.Members()).Where(m => SchemaKeywords.OfType.GetValueOrDefault(m.Name) == type).Select(static m => (SchemaPlace?)m.Value).FirstOrDefault();

    private GrammarNode StringOf(SchemaShape shape)
    {
        var place = shape.Schemas[0];
        if (shape.MinLength > shape.MaxLength) return Never(place, $"no string has at least {shape.MinLength} and at most {shape.MaxLength} characters");
        if (_strings.TerminalOf(shape) is not { } terminal)
            return shape is { MinLength: 0, MaxLength: int.MaxValue } ? JsonText.AnyString : new PlainStringTerminal(shape.MinLength, shape.MaxLength);
        return terminal.HasText ? terminal : Never(place, "no string meets the patterns, formats and lengths that hold together here");
    }

    private GrammarNode NumberOf(SchemaShape shape)
    {
        bool integer = !shape.Types.HasFlag(SchemaTypes.Fraction);
        var bounds = shape.Bounds(integer);
        if (bounds is { Least: null, Greatest: null, Multiple: null }) return integer ? NumberAutomaton.AnyInteger : NumberAutomaton.AnyNumber;
        var place = shape.Schemas[0];
        var terminal = NumberAutomaton.Build(bounds, _strings.Left) ?? throw place.Fault(
            $"the range and multiple need more states of automata than the schema may have, {_limits.MaxAutomatonStates:N0} ({nameof(ConstraintLimits.MaxAutomatonStates)})");
        _strings.Take(terminal.States, place);
        return terminal.HasText ? terminal : Never(place, "no number meets the bounds and multiples that hold together here");
    }
}
