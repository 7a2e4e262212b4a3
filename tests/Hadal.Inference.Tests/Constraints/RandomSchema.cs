using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Hadal.Inference.Tests.Constraints;

/// <summary>A random schema, and a way to write random values of it that knows nothing of automata.</summary>
internal sealed record RandomSchema(JsonNode Schema, Func<Random, string> Write)
{
    private static readonly (string Pattern, Func<Random, string> Text)[] _patterns =
    [
        ("^[a-z]{2,5}$", r => Letters(r, 2, 5)),
        ("^(foo|ba[rz])+-\\d{1,3}$", r => string.Concat(Enumerable.Range(0, r.Next(1, 4)).Select(_ => Pick(r, "foo", "bar", "baz"))) + "-" + r.Next(1000).ToString(CultureInfo.InvariantCulture)),
        ("x", r => Letters(r, 0, 4) + "x" + Letters(r, 0, 4)),
        ("^\\S+ \\S+$", r => Letters(r, 1, 6) + " é" + Letters(r, 1, 6)),
        ("^[^\"\\\\]*$", r => Letters(r, 0, 6) + "\n\u0001"),
        ("[A-Z]$", r => Letters(r, 0, 6) + "Q"),
        ("^#[0-9a-fA-F]{6}$", r => "#" + r.Next(1 << 24).ToString("x6", CultureInfo.InvariantCulture)),
    ];

    private static readonly (string Format, Func<Random, string> Text)[] _formats =
    [
        ("date", r => new DateTime(r.Next(1, 9999), r.Next(1, 13), r.Next(1, 29), 0, 0, 0, DateTimeKind.Utc).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        ("date-time", r => new DateTime(r.NextInt64(DateTime.MaxValue.Ticks), DateTimeKind.Utc).ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture)),
        ("time", r => $"{r.Next(24):00}:{r.Next(60):00}:{r.Next(60):00}+0{r.Next(10)}:30"),
        ("uuid", r => new Guid(Enumerable.Range(0, 16).Select(_ => (byte)r.Next(256)).ToArray()).ToString()),
        ("ipv4", r => string.Join('.', Enumerable.Range(0, 4).Select(_ => r.Next(256)))),
        ("ipv6", r => new System.Net.IPAddress(Enumerable.Range(0, 16).Select(_ => (byte)(r.Next(3) * r.Next(128))).ToArray()).ToString()),
        ("email", r => $"{Letters(r, 1, 8)}.{Letters(r, 1, 3)}+{r.Next(9)}@{Letters(r, 1, 9)}.{Letters(r, 2, 4)}"),
        ("hostname", r => $"{Letters(r, 1, 9)}-{r.Next(9)}.{Letters(r, 2, 4)}"),
    ];

    public static RandomSchema Create(Random random, int depth = 3)
    {
        var schema = random.Next(depth > 0 ? 16 : 9) switch
        {
            0 => new RandomSchema(new JsonObject { ["type"] = Pick(random, "null", "boolean") }, null!) is var s && s.Schema["type"]!.GetValue<string>() == "null"
                ? s with { Write = _ => "null" } : s with { Write = r => Pick(r, "true", "false") },
            1 => Integer(random),
            2 => Number(random),
            3 or 4 => Text(random),
            5 => Patterned(random),
            6 => Formatted(random),
            7 => Listed(random),
            8 => new RandomSchema(new JsonObject { ["type"] = new JsonArray("string", "null", "integer") }, r => Pick(r, "null", "-17", Quote(r, Letters(r, 0, 5)))),
            9 or 10 => Array(random, depth),
            11 or 12 or 13 => Object(random, depth),
            14 => Any(random, depth),
            _ => random.Next(3) switch { 0 => All(random, depth), 1 => One(random, depth), _ => Recursive(random, depth) },
        };
        if (random.Next(5) == 0 && schema.Schema is JsonObject o && !o.ContainsKey("title")) (o["title"], o["description"], o["$comment"]) = ("t", "d", "c");
        return schema;
    }

    public static string Letters(Random random, int least, int most)
        => string.Concat(Enumerable.Range(0, random.Next(least, most + 1)).Select(_ => (char)('a' + random.Next(26))));

    /// <summary>A text as a JSON string, some characters as escapes.</summary>
    public static string Quote(Random random, string text)
    {
        StringBuilder json = new("\"");
        foreach (char c in text)
        {
            if (c is '"' or '\\') json.Append('\\').Append(c);
            else if (c < ' ' || random.Next(20) == 0) json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else json.Append(c);
        }

        // A raw half of a pair beside an escaped one is no UTF-8.
        return text.Any(char.IsSurrogate) ? System.Text.Json.JsonSerializer.Serialize(text) : json.Append('"').ToString();
    }

    private static T Pick<T>(Random random, params T[] values) => values[random.Next(values.Length)];

    private static RandomSchema Integer(Random random)
    {
        long low = random.Next(-2000, 2000), high = low + random.Next(0, 3000), step = 1;
        JsonObject schema = new() { ["type"] = "integer" };
        int form = random.Next(5);
        if (form is 0 or 1) (schema["minimum"], schema["maximum"]) = (low, high);
        if (form == 1)
        {
            step = random.Next(2, 12);
            schema["multipleOf"] = step;
            if (high - low < step) schema["maximum"] = high = low + step;
        }

        if (form == 2) (schema["exclusiveMinimum"], high) = (low - 1, low + 100_000);
        if (form == 3) (schema["exclusiveMaximum"], low) = (high + 1, high - 100_000);
        return new RandomSchema(schema, r =>
        {
            long value = r.NextInt64(low, high + 1);
            long down = value - (value % step + step) % step;
            return (down >= low ? down : down + step).ToString(CultureInfo.InvariantCulture);
        });
    }

    private static RandomSchema Number(Random random)
    {
        decimal low = Math.Round((decimal)(random.NextDouble() * 200 - 100), random.Next(5)), high = low + Math.Round((decimal)(random.NextDouble() * 50 + 0.1), random.Next(1, 5));
        JsonObject schema = new() { ["type"] = "number" };
        switch (random.Next(4))
        {
            case 0:
                return new RandomSchema(schema, r => Pick(r, "0", "-1.5", "3e7", "1.25E-3", "123456.789", "0.001"));
            case 1:
                (schema["minimum"], schema["maximum"]) = (low, high);
                break;
            case 2:
                (schema["exclusiveMinimum"], schema["exclusiveMaximum"]) = (low, high);
                break;
            default:
                (schema["minimum"], schema["maximum"], schema["multipleOf"]) = (low, low + 10, 0.25m);
                return new RandomSchema(schema, r => (Math.Ceiling(low * 4) / 4 + 0.25m * r.Next(39)).ToString(CultureInfo.InvariantCulture));
        }

        return new RandomSchema(schema, r => Math.Clamp(Math.Round(low + (high - low) * (decimal)r.NextDouble(), 9), low + 0.00001m, high - 0.00001m).ToString(CultureInfo.InvariantCulture));
    }

    private static RandomSchema Text(Random random)
    {
        JsonObject schema = new() { ["type"] = "string" };
        int low = random.Next(2) * random.Next(5), high = low + random.Next(20);
        if (low > 0) schema["minLength"] = low;
        if (random.Next(2) == 0) schema["maxLength"] = high;
        return new RandomSchema(schema, r => Quote(r, string.Concat(Enumerable.Range(0, r.Next(low, high + 1)).Select(_ => Pick(r, "a", "é", "漢", "😀", "\"", "\\", "\n", " ", "\u0001", "}", ",")))));
    }

    private static RandomSchema Patterned(Random random)
    {
        var (pattern, text) = Pick(random, _patterns);
        JsonObject schema = new() { ["type"] = "string", ["pattern"] = pattern };
        if (random.Next(3) > 0) return new RandomSchema(schema, r => Quote(r, text(r)));
        schema["maxLength"] = 40;
        return new RandomSchema(schema, r => Quote(r, text(r)));
    }

    private static RandomSchema Formatted(Random random)
    {
        var (format, text) = Pick(random, _formats);
        return new RandomSchema(new JsonObject { ["type"] = "string", ["format"] = format }, r => Quote(r, text(r)));
    }

    private static RandomSchema Listed(Random random)
    {
        string[] values = ["\"red\"", "\"green\"", "\"a \\\"b\\\"\"", "1", "2.5", "null", "true", "[1,2]", "{\"k\":\"v\"}", "\"\""];
        random.Shuffle(values);
        string[] chosen = values[..random.Next(1, 6)];
        if (chosen.Length == 1) return new RandomSchema(new JsonObject { ["const"] = JsonNode.Parse(chosen[0]) }, _ => chosen[0]);
        return new RandomSchema(new JsonObject { ["enum"] = new JsonArray([.. chosen.Select(static v => JsonNode.Parse(v))]) }, r => Pick(r, chosen));
    }

    private static RandomSchema Array(Random random, int depth)
    {
        var item = Create(random, depth - 1);
        RandomSchema[] first = [.. Enumerable.Range(0, random.Next(3) == 0 ? random.Next(1, 3) : 0).Select(_ => Create(random, depth - 1))];
        int low = random.Next(3), high = low + random.Next(4);
        JsonObject schema = new() { ["type"] = "array" };
        if (first.Length > 0) schema["prefixItems"] = new JsonArray([.. first.Select(static f => f.Schema.DeepClone())]);
        bool closed = first.Length > 0 && random.Next(2) == 0;
        schema["items"] = closed ? false : item.Schema.DeepClone();
        if (closed) (low, high) = (Math.Min(low, first.Length), first.Length);
        if (low > 0) schema["minItems"] = low;
        if (random.Next(2) == 0) schema["maxItems"] = high;
        return new RandomSchema(schema, r => Wrap(r, '[', ']', [.. Enumerable.Range(0, r.Next(low, high + 1)).Select(i => (i < first.Length ? first[i] : item).Write(r))]));
    }

    private static RandomSchema Object(Random random, int depth)
    {
        var properties = Enumerable.Range(0, random.Next(5)).Select(i => (Name: Pick(random, "name", "é", "a b", "q\"", "x", "type") + i, Value: Create(random, depth - 1), Required: random.Next(2) == 0)).ToArray();
        JsonObject schema = new() { ["type"] = "object", ["properties"] = new JsonObject(properties.Select(static p => KeyValuePair.Create(p.Name, (JsonNode?)p.Value.Schema.DeepClone()))) };
        string[] required = [.. properties.Where(static p => p.Required).Select(static p => p.Name)];
        if (required.Length > 0) schema["required"] = new JsonArray([.. required.Select(static n => JsonValue.Create(n))]);
        RandomSchema? others = null;
        switch (random.Next(4))
        {
            case 0:
                others = new RandomSchema(true, r => Pick(r, "1", "{}", "[null, true]", "\"x\""));
                break;
            case 1:
                others = Create(random, depth - 1);
                schema["additionalProperties"] = others.Schema.DeepClone();
                break;
            default:
                schema["additionalProperties"] = false;
                break;
        }

        int low = 0, high = int.MaxValue;
        if (random.Next(4) == 0)
        {
            low = random.Next(properties.Length + 1);
            high = Math.Max(low, required.Length) + random.Next(3);
            (schema["minProperties"], schema["maxProperties"]) = (low, high);
        }

        return new RandomSchema(schema, r =>
        {
            bool[] chosen = [.. properties.Select(p => p.Required || r.Next(2) == 0)];
            for (int i = 0; i < chosen.Length && chosen.Count(true) > high; i++) chosen[i] &= properties[i].Required;
            for (int i = 0; i < chosen.Length && chosen.Count(true) < low; i++) chosen[i] = true;
            List<string> members = [.. properties.Where((_, i) => chosen[i]).Select(p => Member(r, PlainQuote(p.Name), p.Value.Write(r)))];
            for (int i = others is null ? 0 : r.Next(3); i > 0 && members.Count < high; i--) members.Add(Member(r, Quote(r, $"more {i}"), others!.Write(r)));
            return Wrap(r, '{', '}', members);
        });
    }

    private static RandomSchema Any(Random random, int depth)
    {
        RandomSchema[] options = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Create(random, depth - 1))];
        return new RandomSchema(new JsonObject { ["anyOf"] = new JsonArray([.. options.Select(static o => o.Schema.DeepClone())]) }, r => Pick(r, options).Write(r));
    }

    private static RandomSchema All(Random random, int depth)
    {
        var (a, b) = (Create(random, depth - 1), Create(random, depth - 1));
        var schema = JsonNode.Parse("""{"allOf":[{"type":"object","properties":{"a":{}},"required":["a"]},{"properties":{"b":{}},"required":["b"]}]}""")!;
        schema["allOf"]![0]!["properties"]!["a"] = a.Schema.DeepClone();
        schema["allOf"]![1]!["properties"]!["b"] = b.Schema.DeepClone();
        return new RandomSchema(schema, r => Wrap(r, '{', '}', [Member(r, "\"a\"", a.Write(r)), Member(r, "\"b\"", b.Write(r))]));
    }

    private static RandomSchema One(Random random, int depth)
    {
        var (a, b) = (Create(random, depth - 1), Create(random, depth - 1));
        JsonObject Branch(string kind, JsonNode value) => new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["kind"] = new JsonObject { ["const"] = kind }, ["value"] = value },
            ["required"] = new JsonArray("kind", "value"),
        };
        return new RandomSchema(
            new JsonObject { ["oneOf"] = new JsonArray(Branch("one", a.Schema.DeepClone()), Branch("two", b.Schema.DeepClone())) },
            r => r.Next(2) == 0 ? Wrap(r, '{', '}', [Member(r, "\"kind\"", "\"one\""), Member(r, "\"value\"", a.Write(r))])
                : Wrap(r, '{', '}', [Member(r, "\"kind\"", "\"two\""), Member(r, "\"value\"", b.Write(r))]));
    }

    private static RandomSchema Recursive(Random random, int depth)
    {
        var value = Create(random, Math.Min(depth - 1, 1));
        // References are from the root, so the tree is written out there by whoever uses it.
        string name = $"tree{random.Next(1_000_000_000)}";
        JsonObject tree = new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["value"] = value.Schema.DeepClone(), ["children"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["$ref"] = $"#/$defs/{name}" }, ["maxItems"] = 3 } },
            ["required"] = new JsonArray("value", "children"),
            ["additionalProperties"] = false,
        };
        string Tree(Random r, int levels) => Wrap(r, '{', '}',
            [Member(r, "\"value\"", value.Write(r)), Member(r, "\"children\"", Wrap(r, '[', ']', [.. Enumerable.Range(0, levels == 0 ? 0 : r.Next(3)).Select(_ => Tree(r, levels - 1))]))]);
        return new RandomSchema(new JsonObject { ["$ref"] = $"#/$defs/{name}", ["$defs"] = new JsonObject { [name] = tree } }, r => Tree(r, 3));
    }

    /// <summary>Moves all definitions to the root, where the references look for them.</summary>
    public string Text()
    {
        var root = Schema.DeepClone();
        JsonObject definitions = [];
        Collect(root, definitions);
        if (definitions.Count > 0) root["$defs"] = definitions;
        return root.ToJsonString();
    }

    private static void Collect(JsonNode? node, JsonObject definitions)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array) Collect(item, definitions);
        }

        if (node is not JsonObject o) return;
        if (o["$defs"] is JsonObject found)
        {
            o.Remove("$defs");
            foreach (var (name, value) in found.ToArray())
            {
                found.Remove(name);
                definitions[name] = value;
                Collect(value, definitions);
            }
        }

        foreach (var (_, value) in o.ToArray()) Collect(value, definitions);
    }

    private static string PlainQuote(string name) => "\"" + name.Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    private static string Member(Random random, string name, string value) => name + (random.Next(2) == 0 ? ":" : ": ") + value;

    /// <summary>Puts items in brackets, with white space as it is allowed.</summary>
    private static string Wrap(Random random, char open, char close, List<string> items)
    {
        string space = Pick(random, "", " ", "\n    ", "\n\t\t");
        return items.Count == 0 ? $"{open}{close}" : $"{open}{space}{string.Join("," + space, items)}{space}{close}";
    }
}
