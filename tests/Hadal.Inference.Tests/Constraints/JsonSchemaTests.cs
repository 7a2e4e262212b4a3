using Hadal.Inference.Constraints;

namespace Hadal.Inference.Tests.Constraints;

public class JsonSchemaTests
{
    [Theory]
    [InlineData("""{"type":"string"}""", """ "" | "a" | "\"\\\/\b\f\n\r\t" | "é€𝄞" | "\u00e9\ud834\udd1e" """, """ "| a | "a | "\x" | "\ud834" | "\udd1e" | "\ud834\u0041" | 1 """)]
    [InlineData("""{"type":"string","minLength":2,"maxLength":3}""", """ "ab" | "é€𝄞" | "\ud834\udd1ex" | "\n\n" """, """ "a" | "abcd" | "𝄞" | "" """)]
    [InlineData("""{"type":"integer"}""", "0 | -1 | 12 | 9223372036854775807 | -9223372036854775808", "-0 | 01 | 1.0 | 9223372036854775808 | 1e3 | - | \"1\"")]
    [InlineData("""{"type":"integer","minimum":-12,"maximum":105}""", "-12 | -1 | 0 | 9 | 10 | 99 | 100 | 105", "-13 | -20 | 106 | 110 | 1000")]
    [InlineData("""{"type":"integer","exclusiveMinimum":0.5,"exclusiveMaximum":3}""", "1 | 2", "0 | 3 | -1")]
    [InlineData("""{"type":"integer","multipleOf":7,"minimum":0,"maximum":100}""", "0 | 7 | 14 | 98", "1 | 13 | 105 | 99")]
    [InlineData("""{"type":"number"}""", "0 | -1.5 | 2e10 | 1.25E-7 | 123456", "-0 | .5 | 1. | 1e | +1 | NaN")]
    [InlineData("""{"type":"number","minimum":1.25,"maximum":10}""", "1.25 | 1.3 | 9.99 | 10 | 10.0 | 2", "1.24 | 1 | 10.01 | 11 | 1e1 | 0.5 | -2")]
    [InlineData("""{"type":"number","exclusiveMinimum":-0.5,"exclusiveMaximum":0.001}""", "-0.49 | 0 | 0.0 | 0.0009 | -0.1", "-0.5 | -0.50 | 0.001 | 0.0010 | -1 | 1")]
    [InlineData("""{"type":"number","multipleOf":0.25}""", "0.25 | 1 | 1.5 | -2.75", "0.3 | 0.125 | 1.55")]
    [InlineData("""{"enum":["a b",1,null,true,[1,{"x":"é"}]]}""", """ "a b" | 1 | null | true | [1,{"x":"é"}] """, """ "a" | 2 | false | [1] """)]
    [InlineData("""{"type":["string","null"],"enum":["a",1,null]}""", """ "a" | null """, "1")]
    [InlineData("""{"const":{"k":[]}}""", """ {"k":[]} """, "{}")]
    [InlineData("""{"type":"boolean"}""", "true | false", "null | tru")]
    [InlineData("""{"type":["integer","boolean"]}""", "1 | true", "null | 1.5")]
    [InlineData("""{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}""", "[1] | [1,2] | [1, 2, 3] | [\n  1,\n  2\n]", "[] | [1,2,3,4] | [1,] | [\"a\"] | [1,  2] | [\n\n1]")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":false}""", """ [] | ["a"] | ["a",1] """, """ [1] | ["a",1,2] """)]
    [InlineData("""{"type":"array","items":[{"type":"string"}],"additionalItems":{"type":"null"}}""", """ ["a",null,null] """, """ ["a",1] """)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"],"additionalProperties":false}""",
        """ {"a":1,"b":"x"} | {"b":""} | {"a": 1, "b": "x"} """, """ {} | {"a":1} | {"b":"x","a":1} | {"b":"x","c":1} | {"b":"x","b":"y"} | {"b":"x",} """)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"string"}}""",
        """ {} | {"a":1} | {"a":1,"ab":"x"} | {"x":"y","z":"w"} | {"":""} """, """ {"x":1} | {"a":"x"} | {"x":"y","a":1} | {"x":"y","x":"z"} | {"x":"","\u0078":""} """)]
    [InlineData("""{"type":"object","properties":{"a":{},"b":{},"c":{}},"minProperties":2,"maxProperties":2,"additionalProperties":false}""",
        """ {"a":1,"b":1} | {"b":1,"c":1} | {"a":1,"c":1} """, """ {"a":1} | {"c":1} | {"a":1,"b":1,"c":1} | {} """)]
    [InlineData("""{"type":"object","required":["x"]}""", """ {"x":1} | {"x":1,"y":2} """, """ {} | {"y":2} """)]
    [InlineData("""{"anyOf":[{"type":"string","maxLength":1},{"type":"integer","minimum":5}]}""", """ "a" | 5 """, """ "ab" | 4 """)]
    [InlineData("""{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"b":{"type":"integer"},"a":{"minimum":3}}}],"additionalProperties":true}""",
        """ {"a":3} | {"a":4,"b":1} """, """ {"a":2} | {"b":1} """)]
    [InlineData("""{"oneOf":[{"type":"object","properties":{"k":{"const":"a"},"v":{"type":"integer"}},"required":["k","v"],"additionalProperties":false},{"type":"object","properties":{"k":{"const":"b"}},"required":["k"],"additionalProperties":false}]}""",
        """ {"k":"a","v":1} | {"k":"b"} """, """ {"k":"a"} | {"k":"b","v":1} """)]
    [InlineData("""{"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"v":{"type":"integer"},"n":{"anyOf":[{"$ref":"#/$defs/t"},{"type":"null"}]}},"required":["v","n"],"additionalProperties":false}}}""",
        """ {"v":1,"n":null} | {"v":1,"n":{"v":2,"n":{"v":3,"n":null}}} """, """ {"v":1} | {"v":1,"n":{}} """)]
    [InlineData("""{"type":"integer","minimum":5,"exclusiveMinimum":true}""", "6", "5")]
    [InlineData("""{"type":"integer","nullable":true}""", "6 | null", "\"a\"")]
    [InlineData("""{"type":"string","pattern":"^[A-Z]{2}-\\d+$"}""", """ "AB-1" | "ZZ-0123" | "\u0041B-1" """, """ "A-1" | "AB-" | "xAB-1" | "AB-1x" """)]
    [InlineData("""{"type":"string","pattern":"b+"}""", """ "b" | "abc" | "bbb" | "\"b" """, """ "" | "ac" """)]
    [InlineData("""{"type":"string","pattern":"^a.*z$|^$|q$"}""", """ "" | "az" | "a z" | "xq" | "qq" """, """ "a" | "z" | "a\nz" """)]
    [InlineData("""{"type":"string","pattern":"^(?:ab?)*$","minLength":2,"maxLength":4}""", """ "ab" | "aaaa" | "aba" """, """ "a" | "abb" | "aaaaa" | "" """)]
    [InlineData("""{"type":"string","pattern":"^\\p{Lu}[^\\x00-\\x7F]\\u{1F600}?$"}""", """ "Éé" | "Aé😀" | "A\u00e9\ud83d\ude00" """, """ "éé" | "Aa" | "Aé😁" """)]
    [InlineData("""{"type":"string","format":"date"}""", """ "2024-02-29" | "2023-12-31" | "2000-02-29" """, """ "2023-02-29" | "1900-02-29" | "2023-13-01" | "0000-01-01" | "2023-1-1" """)]
    [InlineData("""{"type":"string","format":"date-time"}""", """ "2024-02-29T23:59:59Z" | "2023-12-31T00:00:00.5+01:00" """, """ "2024-02-29" | "2024-02-29T24:00:00Z" """)]
    [InlineData("""{"type":"string","format":"uuid"}""", """ "123e4567-e89b-12d3-a456-426614174000" """, """ "123e4567e89b12d3a456426614174000" """)]
    [InlineData("""{"type":"string","format":"email"}""", """ "a.b@c.de" """, """ "a@b" | "@c.de" | "a..b@c.de" """)]
    [InlineData("""{"type":"string","format":"ipv4"}""", """ "0.0.0.0" | "255.249.99.1" """, """ "256.0.0.1" | "1.2.3" | "01.2.3.4" """)]
    [InlineData("""{"type":"string","format":"ipv6"}""", """ "::" | "::1" | "1::" | "2001:db8::ff00:42:8329" | "1:2:3:4:5:6:7:8" | "::ffff:1.2.3.4" """, """ "1:2:3:4:5:6:7" | "1::2::3" | ":1" | "1:2:3:4:5:6:7:8:9" | "g::" """)]
    [InlineData("""{"type":"string","format":"duration"}""", """ "P1D" | "PT5M" | "P1Y2M3DT4H" | "P2W" """, """ "P" | "PT" | "1D" """)]
    [InlineData("""{"type":"string","format":"my-own"}""", "\"x\"", "1")]
    [InlineData("""{"enum":["ab","cd","x"],"pattern":"^.{2}$"}""", """ "ab" | "cd" """, "\"x\"")]
    [InlineData("""{"type":"object","patternProperties":{"^i_":{"type":"integer"},"_s$":{"type":"string"}},"additionalProperties":false}""",
        """ {"i_":1} | {"i_a":1,"i_b":2} | {"a_s":"x","i_a":1} """, """ {"i_a":"x"} | {"x":1} | {"i_s":1} | {"i_s":"a"} | {"i_a":1,"i_a":2} """)]
    [InlineData("""{"type":"object","properties":{"i_x":{"minimum":5}},"patternProperties":{"^i_":{"type":"integer"}},"additionalProperties":{"type":"null"}}""",
        """ {"i_x":5,"i_y":1} | {"a":null} """, """ {"i_x":4} | {"a":1} | {"i_y":null} """)]
    [InlineData("""{"type":"object","propertyNames":{"enum":["a","b"]},"additionalProperties":{"type":"integer"},"minProperties":1}""", """ {"a":1} | {"a":1,"b":2} | {"b":2} """, """ {} | {"c":1} | {"a":1,"a":1} """)]
    [InlineData("""{"type":"object","propertyNames":{"pattern":"^[a-z]+$"},"additionalProperties":{"type":"integer"}}""", """ {} | {"a":1} | {"ab":1,"b":2} """, """ {"A":1} | {"":1} """)]
    [InlineData("true", """ {"a":[1,"x",null,{}]} | 1 | [] | [[[]]] """, "{a:1}")]
    public void A_schema_takes_its_values_and_nothing_else(string schema, string good, string bad)
    {
        var grammar = TokenGrammar.JsonSchema(Vocabularies.Bytes.Vocabulary, schema);
        foreach (string text in good.Trim().Split(" | ")) Assert.True(Texts.Takes(grammar, text), $"{text} at {Texts.Taken(grammar, text)}");
        foreach (string text in bad.Trim().Split(" | ")) Assert.False(Texts.Takes(grammar, text), text);
    }
}
