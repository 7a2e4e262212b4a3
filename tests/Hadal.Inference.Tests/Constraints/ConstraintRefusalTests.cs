using System.Text;
using System.Text.Json;
using Hadal.Inference.Constraints;

namespace Hadal.Inference.Tests.Constraints;

public class ConstraintRefusalTests
{
    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"not":{"type":"string"}}}}""", "#/properties/a/not", "not is not supported")]
    [InlineData("""{"if":{},"then":{}}""", "#/if", "anyOf")]
    [InlineData("""{"type":"array","items":{},"uniqueItems":true}""", "#/uniqueItems", "uniqueItems is not supported")]
    [InlineData("""{"contains":{}}""", "#/contains", "not supported")]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"number"}]}""", "#/oneOf", "may both hold")]
    [InlineData("""{"$ref":"other.json"}""", "#/$ref", "only references within the schema")]
    [InlineData("""{"$ref":"#/$defs/x"}""", "#/$ref", "leads to nothing")]
    [InlineData("""{"$ref":"#"}""", "#", "refers to itself")]
    [InlineData("""{"anyOf":[{"$ref":"#"},{"type":"string"}]}""", "#", "refers to itself")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}}""", "#/$defs/a", "refers to itself")]
    [InlineData("""{"type":"object","properties":{"n":{"$ref":"#"}},"required":["n"]}""", "#", "without end")]
    [InlineData("""{"type":"integer","minimum":5,"maximum":4}""", "#", "no number")]
    [InlineData("""{"type":"number","exclusiveMinimum":5,"maximum":5}""", "#", "no number")]
    [InlineData("""{"type":"integer","multipleOf":10,"minimum":1,"maximum":9}""", "#", "no number")]
    [InlineData("""{"type":"integer","multipleOf":1234567}""", "#/multipleOf", "not supported")]
    [InlineData("""{"type":"integer","multipleOf":0}""", "#/multipleOf", "above 0")]
    [InlineData("""{"type":"integer","multipleOf":99991}""", "#", "MaxAutomatonStates")]
    [InlineData("""{"type":"string","minLength":3,"maxLength":2}""", "#", "no string")]
    [InlineData("""{"type":"string","pattern":"^ab$","minLength":3}""", "#", "no string")]
    [InlineData("""{"type":"string","enum":[1,2]}""", "#", "no value is left")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""", "#", "no type is left")]
    [InlineData("""{"type":"array","minItems":2,"maxItems":1}""", "#", "no array")]
    [InlineData("""{"type":"object","minProperties":2,"maxProperties":1}""", "#", "no object")]
    [InlineData("""{"type":"object","required":["a"],"additionalProperties":false}""", "#/additionalProperties", "allows no value")]
    [InlineData("false", "#", "allows no value")]
    [InlineData("""{"type":"strin"}""", "#/type", "is no type")]
    [InlineData("""{"type":"object","properties":{"a":{"type":["string",5]}}}""", "#/properties/a/type/1", "must be a string")]
    [InlineData("""{"minLength":-1}""", "#/minLength", "integer")]
    [InlineData("""{"properties":[]}""", "#/properties", "must be an object")]
    [InlineData("""{"anyOf":[]}""", "#/anyOf", "at least one")]
    [InlineData("""{"items":3}""", "#/items", "a schema must be")]
    [InlineData("""{"minimum":1e999999}""", "#/minimum", "digits")]
    [InlineData("3", "#", "a schema must be")]
    [InlineData("{", "#", "not JSON")]
    [InlineData("""{"pattern":"(?=a)b"}""", "#/pattern", "looking ahead")]
    [InlineData("""{"pattern":"(a)\\1"}""", "#/pattern", "references back")]
    [InlineData("""{"pattern":"\\bx"}""", "#/pattern", "word boundaries")]
    [InlineData("""{"pattern":"a("}""", "#/pattern", "parenthesis")]
    [InlineData("""{"pattern":"[a"}""", "#/pattern", "bracket")]
    [InlineData("""{"pattern":"*a"}""", "#/pattern", "nothing is there to repeat")]
    [InlineData("""{"pattern":"\\p{Script=Greek}"}""", "#/pattern", "general categories")]
    [InlineData("""{"type":"object","patternProperties":{"^..$":{}},"additionalProperties":false}""", "#", "more than 64 names")]
    [InlineData("""{"const":{"a":1},"properties":{"a":{}}}""", "#/properties", "beside const or enum")]
    [InlineData("""{"enum":["\ud800"]}""", "#", "well-formed Unicode")]
    public void What_cannot_be_kept_is_refused_with_the_place_and_the_reason(string schema, string place, string reason)
    {
        var e = Assert.Throws<ConstraintException>(() => TokenGrammar.JsonSchema(Vocabularies.Bytes.Vocabulary, schema));

        Assert.Equal(place, e.Place);
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Hostile() => new()
    {
        { "deep", string.Concat(Enumerable.Repeat("""{"items":""", 200)) + "{}" + new string('}', 200) },
        { "long", """{"description":"x""" + new string('x', 1 << 20) + "\"}" },
        { "enum of 1 MB", """{"enum":[""" + string.Join(',', Enumerable.Range(0, 100_000)) + "]}" },
        { "enum with many values", """{"enum":[""" + string.Join(',', Enumerable.Range(0, 20_000)) + "]}" },
        { "references that double", Doubling("allOf", 90) },
        { "alternatives that double", Doubling("anyOf", 90) },
        { "cross product", """{"allOf":[""" + string.Join(',', Enumerable.Repeat("""{"anyOf":[{"minLength":1},{"maxLength":5},{"minLength":2}]}""", 30)) + "]}" },
        { "many schemas in many alternatives", """{"anyOf":[""" + string.Join(',', Enumerable.Repeat("{}", 250)) + """],"allOf":[""" + string.Join(',', Enumerable.Repeat("{}", 20_000)) + "]}" },
        { "repetitions within each other", """{"pattern":"^((((a{1,100}){1,100}){1,100}){1,100})$"}""" },
        { "exponential automaton", """{"pattern":"(a|b)*a(a|b){30}$"}""" },
        { "quadratic automaton", """{"pattern":"(.{1,1000}a){1,10}[^b]{500}$"}""" },
        { "many classes", """{"pattern":"^(\\p{L}|\\p{N}|\\p{P}){1,5000}$"}""" },
        { "length of a pattern", """{"pattern":"^a.*b$","maxLength":2000000000}""" },
        { "long pattern", """{"pattern":"x""" + new string('a', 10_000) + "\"}" },
        { "deep pattern", """{"pattern":"x""" + new string('(', 1000) + new string(')', 1000) + "\"}" },
        { "long names", """{"properties":{"n""" + new string('n', 100_000) + "\":{\"properties\":{" + string.Join(',', Enumerable.Range(0, 5000).Select(static i => $"\"p{i}\":{{}}")) + "}}}}" },
        { "many properties", """{"properties":{""" + string.Join(',', Enumerable.Range(0, 20_001).Select(static i => $"\"{i}\":{{}}")) + "}}" },
        { "nesting of every value", string.Concat(Enumerable.Repeat("""{"prefixItems":[""", 45)) + "{}" + string.Concat(Enumerable.Repeat("""],"minItems":1}""", 45)) + " " },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_hostile_schema_is_refused_or_compiled_with_bounded_memory(string name, string schema)
    {
        ArgumentNullException.ThrowIfNull(name);
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            TokenGrammar.JsonSchema(Vocabularies.Bytes.Vocabulary, schema);
        }
        catch (ConstraintException e)
        {
            Assert.NotNull(e.Place);
            Assert.InRange(e.Message.Length, 1, 4000);
        }

        // All that is allocated, most of it garbage at once; without bounds several of these schemas take gigabytes or never end.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1L << 30);
    }

    [Fact]
    public void A_schema_given_as_an_element_has_the_same_limits()
    {
        using var document = JsonDocument.Parse(string.Concat(Enumerable.Repeat("""{"items":""", 30)) + "{}" + new string('}', 30));
        ConstraintLimits limits = new() { MaxSchemaNesting = 10 };

        Assert.Contains("MaxSchemaNesting", Assert.Throws<ConstraintException>(() => TokenGrammar.JsonSchema(Vocabularies.Bytes.Vocabulary, document.RootElement, limits)).Message, StringComparison.Ordinal);
        Assert.Contains("MaxSchemaBytes", Assert.Throws<ConstraintException>(
            () => TokenGrammar.JsonSchema(Vocabularies.Bytes.Vocabulary, document.RootElement, new ConstraintLimits { MaxSchemaBytes = 100 })).Message, StringComparison.Ordinal);
    }

    private static string Doubling(string keyword, int levels)
    {
        StringBuilder schema = new("""{"$ref":"#/$defs/d0","$defs":{""");
        for (int i = 0; i < levels; i++) schema.Append($$"""
            "d{{i}}":{"{{keyword}}":[{"$ref":"#/$defs/d{{i + 1}}"},{"$ref":"#/$defs/d{{i + 1}}"}]},
            """);
        return schema.Append($"\"d{levels}\":{{\"type\":\"string\"}}}}}}").ToString();
    }
}
