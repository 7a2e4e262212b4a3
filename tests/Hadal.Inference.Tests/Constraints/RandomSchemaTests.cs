using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Inference.Constraints;
using Hadal.Model.Tokenization;
using Json.Schema;

namespace Hadal.Inference.Tests.Constraints;

/// <summary>JSON Schemas from a generator, with JsonSchema.Net as the judge of what the grammars write.</summary>
public class RandomSchemaTests
{
    private static readonly EvaluationOptions _options = new() { OutputFormat = OutputFormat.Flag, RequireFormatValidation = true };

    [Fact]
    public void What_is_drawn_from_500_random_schemas_parses_and_validates()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            // All sizes of vocabularies; most with one token a byte or 32,000 tokens, where a draw is cheap.
            var (tokenizer, vocabulary) = (seed % 10) switch { 0 or 5 => Vocabularies.V3, < 5 => Vocabularies.Bytes, _ => Vocabularies.Coder };
            Random random = new(seed);
            string schema = RandomSchema.Create(random).Text();
            DrawAndValidate(seed, schema, tokenizer, vocabulary, random);
        }
    }

    [Fact]
    public void Values_of_random_schemas_are_taken_byte_by_byte_and_token_by_token()
    {
        for (int seed = 1000; seed < 1500; seed++)
        {
            Random random = new(seed);
            var schema = RandomSchema.Create(random);
            string text = schema.Text();
            var grammar = TokenGrammar.JsonSchema(Vocabularies.Bytes.Vocabulary, text);
            var (tokenizer, vocabulary) = Vocabularies.Coder;
            var tokens = TokenGrammar.JsonSchema(vocabulary, text);
            for (int i = 0; i < 4; i++)
            {
                string value = schema.Write(random);
                Assert.True(Texts.Takes(grammar, value), $"seed {seed}: {text} does not take {value} beyond byte {Texts.Taken(grammar, value)}");
                Assert.True(Texts.TakesTokens(tokens, tokenizer.Encode(value)), $"seed {seed}: {text} does not take the tokens of {value}");
                Assert.True(Texts.TakesTokens(tokens, RandomSplit(value, tokenizer, random)), $"seed {seed}: {text} does not take a split of {value}");
            }
        }
    }

    [Fact]
    public void Any_JSON_object_is_drawn_from_the_grammar_for_JSON()
    {
        var (tokenizer, vocabulary) = Vocabularies.V3;
        var grammar = TokenGrammar.Json(vocabulary);
        Random random = new(1);
        for (int i = 0; i < 30; i++)
        {
            string text = Texts.Draw(grammar, tokenizer, random, 60);
            // JsonNode does not take the same name twice.
            var node = JsonNode.Parse(text)!.AsObject();
            Assert.Equal(node.Count, node.Select(static p => p.Key).Distinct().Count());
        }
    }

    private static void DrawAndValidate(int seed, string schema, Tokenizer tokenizer, ConstraintVocabulary vocabulary, Random random)
    {
        var judge = JsonSchema.FromText(schema);
        var grammar = TokenGrammar.JsonSchema(vocabulary, schema);
        for (int i = 0; i < 2; i++)
        {
            string text = Texts.Draw(grammar, tokenizer, random, 40);
            JsonElement value;
            try
            {
                using var document = JsonDocument.Parse(text);
                value = document.RootElement.Clone();
            }
            catch (JsonException e)
            {
                throw new InvalidOperationException($"seed {seed}: {text} is not JSON ({e.Message})");
            }

            Assert.True(judge.Evaluate(value, _options).IsValid || judge.Evaluate(SingleCharacters(value), _options).IsValid, $"seed {seed}: {schema} is not met by {text}");
        }
    }

    /// <summary>
    /// The same with letters instead of characters that may join others. The judge counts what people see as one character; JSON Schema (validation, 6.3.1) counts code points.
    /// </summary>
    private static JsonElement SingleCharacters(JsonElement value)
    {
        JsonNode? Replaced(JsonNode? node)
            => node switch
            {
                JsonArray array => new JsonArray([.. array.Select(Replaced)]),
                JsonObject o => new JsonObject(o.Select(p => KeyValuePair.Create(p.Key, Replaced(p.Value)))),
                JsonValue v when v.GetValueKind() == JsonValueKind.String
                    => string.Concat(v.GetValue<string>().EnumerateRunes().Select(static r => r.IsAscii || r.Value == 'é' ? r.ToString() : "z")),
                _ => node?.DeepClone(),
            };
        return JsonSerializer.SerializeToElement(Replaced(JsonNode.Parse(value.GetRawText())));
    }

    /// <summary>Cuts a text into stretches at random places, each of which is one token where the vocabulary has it, else its bytes.</summary>
    private static List<int> RandomSplit(string text, Tokenizer tokenizer, Random random)
    {
        List<int> tokens = [];
        for (int place = 0; place < text.Length;)
        {
            int end = Math.Min(place + random.Next(1, 5), text.Length);
            if (end < text.Length && char.IsLowSurrogate(text[end])) end++;
            tokens.AddRange(tokenizer.Encode(text.AsSpan(place, end - place)));
            place = end;
        }

        return tokens;
    }
}
