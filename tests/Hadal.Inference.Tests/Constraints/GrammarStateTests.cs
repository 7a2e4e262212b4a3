using System.Text.Json;
using Hadal.Inference.Constraints;

namespace Hadal.Inference.Tests.Constraints;

public class GrammarStateTests
{
    private const string Person = """{"type":"object","properties":{"name":{"type":"string","maxLength":30},"tags":{"type":"array","items":{"enum":["a","b"]}}},"required":["name","tags"],"additionalProperties":{"type":"integer"}}""";

    [Fact]
    public void A_choice_is_one_of_its_texts_and_then_ends()
    {
        var (tokenizer, vocabulary) = Vocabularies.V3;
        var grammar = TokenGrammar.Choice(vocabulary, ["yes", "yesterday", "n\"o", "ü"]);
        foreach (string text in new[] { "yes", "yesterday", "n\"o", "ü" })
        {
            var state = grammar.Start();
            Assert.False(state.CanEnd);
            foreach (int token in tokenizer.Encode(text)) Assert.True(state.Accept(token));
            Assert.True(state.CanEnd);
            Assert.Equal(text != "yes", state.MustEnd);
        }

        Assert.False(Texts.TakesTokens(grammar, tokenizer.Encode("yester")));
        Assert.Throws<ArgumentException>(() => TokenGrammar.Choice(vocabulary, []));
    }

    [Fact]
    public void Added_tokens_and_ids_without_a_token_are_never_allowed_in_text()
    {
        var (tokenizer, vocabulary) = Vocabularies.V3;
        var state = TokenGrammar.Compile(vocabulary, GrammarPart.Text()).Start();
        for (int id = 0; id < vocabulary.Count; id++)
        {
            bool added = !tokenizer.HasToken(id) || tokenizer.IsAdded(id);
            Assert.Equal(!added && tokenizer.TokenBytes(id).Length > 0, state.IsAllowed(id));
        }

        Assert.True(tokenizer.IsAdded(128806));
        Assert.False(state.Accept(128806));
        Assert.False(state.Accept(-1));
        Assert.False(state.Accept(int.MaxValue));
        Assert.True(state.CanEnd);
    }

    [Fact]
    public void Calls_of_tools_are_made_of_parts()
    {
        var (tokenizer, vocabulary) = Vocabularies.V3;
        int Id(string name) => tokenizer.IdOf(name)!.Value;
        var call = GrammarPart.Sequence(
            GrammarPart.Token(Id("<｜tool▁call▁begin｜>")), GrammarPart.Literal("function"), GrammarPart.Token(Id("<｜tool▁sep｜>")),
            GrammarPart.OneOf(
                GrammarPart.Sequence(GrammarPart.Literal("weather\n```json\n"), GrammarPart.JsonSchema("""{"properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}""")),
                GrammarPart.Sequence(GrammarPart.Literal("time\n```json\n"), GrammarPart.JsonSchema("""{"properties":{"zone":{"enum":["UTC","CET"]}},"required":["zone"],"additionalProperties":false}"""))),
            GrammarPart.Literal("\n```"), GrammarPart.Token(Id("<｜tool▁call▁end｜>")));
        var grammar = TokenGrammar.Compile(vocabulary, GrammarPart.Sequence(
            GrammarPart.Text(), GrammarPart.Token(Id("<｜tool▁calls▁begin｜>")), GrammarPart.Repeat(call, 1, 2, GrammarPart.Literal("\n")), GrammarPart.Token(Id("<｜tool▁calls▁end｜>"))));
        string Weather(string city) => $"<｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{{\"city\": \"{city}\"}}\n```<｜tool▁call▁end｜>";
        const string time = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>time\n```json\n{\"zone\": \"CET\"}\n```<｜tool▁call▁end｜>";

        Assert.True(Texts.TakesTokens(grammar, tokenizer.Encode($"I look. {{<｜tool▁calls▁begin｜>{Weather("Köln")}\n{time}<｜tool▁calls▁end｜>")));
        Assert.True(Texts.TakesTokens(grammar, tokenizer.Encode($"<｜tool▁calls▁begin｜>{time}<｜tool▁calls▁end｜>")));
        Assert.False(Texts.TakesTokens(grammar, tokenizer.Encode($"<｜tool▁calls▁begin｜>{time}{time}<｜tool▁calls▁end｜>")));
        Assert.False(Texts.TakesTokens(grammar, tokenizer.Encode("<｜tool▁calls▁begin｜><｜tool▁calls▁end｜>")));
        Assert.False(Texts.TakesTokens(grammar, tokenizer.Encode($"<｜tool▁calls▁begin｜>{time}\n{time}\n{time}<｜tool▁calls▁end｜>")));
        Assert.Throws<ConstraintException>(() => TokenGrammar.Compile(vocabulary, GrammarPart.Token(20)));
        Assert.Throws<ArgumentException>(() => GrammarPart.Sequence(GrammarPart.Text(), GrammarPart.Literal("x")));
        Assert.Throws<ArgumentException>(() => GrammarPart.Repeat(GrammarPart.Text()));
    }

    [Theory]
    [InlineData("abc<ab<a<abab>{}", true)]
    [InlineData("<abab>{\"a\":1}", true)]
    [InlineData("<ab<abab>{}", true)]
    [InlineData("<abab>x", false)]
    [InlineData("<abab", false)]
    public void Free_text_goes_through_the_first_occurrence_of_a_literal(string text, bool taken)
    {
        var grammar = TokenGrammar.Compile(Vocabularies.Bytes.Vocabulary, GrammarPart.Sequence(GrammarPart.TextThrough("<abab>"), GrammarPart.Json()));

        Assert.Equal(taken, Texts.Takes(grammar, text));
    }

    [Fact]
    public void Rewinding_and_cloning_lead_to_the_same_masks_as_going_straight()
    {
        var (tokenizer, vocabulary) = Vocabularies.V3;
        var grammar = TokenGrammar.JsonSchema(vocabulary, Person);
        int[] tokens = tokenizer.Encode("""{"name": "Ada", "tags": ["a", "b"], "x": 1, "xy": 2, "z\u0041": 3}""");
        int[] others = tokenizer.Encode("""{"name":"Bob","tags":[],"q":1,"x":5,"qq":7}""");
        Random random = new(3);
        var state = grammar.Start();
        List<int> taken = [];
        for (int step = 0; step < 2000; step++)
        {
            if (taken.Count > 0 && random.Next(3) == 0)
            {
                int back = random.Next(1, Math.Min(taken.Count, 32) + 1);
                state.Rewind(back);
                taken.RemoveRange(taken.Count - back, back);
            }
            else
            {
                var source = random.Next(2) == 0 ? tokens : others;
                int token = source[Math.Min(taken.Count, source.Length - 1)];
                if (state.Accept(token)) taken.Add(token);
            }

            if (step % 20 != 0) continue;
            var straight = grammar.Start();
            foreach (int token in taken) Assert.True(straight.Accept(token));
            Assert.True(straight.Allowed.SequenceEqual(state.Allowed));
            Assert.Equal(straight.CanEnd, state.CanEnd);
            Assert.Equal(taken.Count, state.Accepted);
            var clone = state.Clone();
            if (taken.Count > 0) clone.Rewind(1);
            Assert.True(straight.Allowed.SequenceEqual(state.Allowed));
        }
    }

    [Fact]
    public void More_than_was_accepted_cannot_be_taken_back()
    {
        var state = TokenGrammar.Compile(Vocabularies.Bytes.Vocabulary, GrammarPart.Text()).Start();
        for (int i = 0; i < 100; i++) state.Accept(ByteTokenizer.FirstByte + 'a');

        state.Rewind(GrammarState.RewindLimit);
        Assert.Equal(100 - GrammarState.RewindLimit, state.Accepted);
        Assert.Throws<ArgumentOutOfRangeException>(() => state.Rewind(1));
    }

    [Fact]
    public void A_refused_token_changes_nothing()
    {
        var (tokenizer, vocabulary) = Vocabularies.V3;
        var state = TokenGrammar.JsonSchema(vocabulary, Person).Start();
        foreach (int token in tokenizer.Encode("""{"name": "A""")) Assert.True(state.Accept(token));
        ulong[] before = state.Allowed.ToArray();

        Assert.False(state.Accept(tokenizer.Encode("\n")[0]));
        Assert.True(before.AsSpan().SequenceEqual(state.Allowed));
        foreach (int token in tokenizer.Encode("\", \"tags\": []}")) Assert.True(state.Accept(token));
        Assert.True(state.CanEnd);
    }

    [Fact]
    public void A_token_is_allowed_exactly_if_it_is_accepted()
    {
        var (tokenizer, vocabulary) = Vocabularies.V3;
        // Closed objects: of open ones, tokens with a whole name are accepted beyond what is allowed.
        foreach (int seed in Enumerable.Range(0, 30))
        {
            Random random = new(seed);
            string schema = RandomSchema.Create(random).Text();
            if (schema.Contains("\"object\"", StringComparison.Ordinal) && !schema.Contains("false", StringComparison.Ordinal)) continue;
            var grammar = TokenGrammar.JsonSchema(vocabulary, schema);
            int[] tokens = tokenizer.Encode(Texts.Draw(grammar, tokenizer, random, 20));
            var state = grammar.Start();
            foreach (int token in tokens.Take(40))
            {
                ulong[] allowed = state.Allowed.ToArray();
                for (int id = 0; id < vocabulary.Count; id += random.Next(1, 400))
                {
                    bool accepted = state.Accept(id);
                    if (accepted) state.Rewind(1);
                    bool mask = (allowed[id >> 6] >> (id & 63) & 1) != 0;
                    Assert.True(mask == accepted || (accepted && tokenizer.TokenBytes(id).Count((byte)'"') >= 2), $"seed {seed}: {tokenizer.TokenName(id)} is {(mask ? "" : "not ")}allowed in {schema}");
                }

                Assert.True(state.Accept(token));
            }
        }
    }

    [Fact]
    public void A_name_never_comes_twice_however_it_is_spelled()
    {
        var (tokenizer, vocabulary) = Vocabularies.V3;
        var grammar = TokenGrammar.JsonSchema(vocabulary, """{"type":"object","additionalProperties":{"type":"integer"}}""");
        var state = grammar.Start();
        foreach (int token in tokenizer.Encode("""{"naïve": 1, "na""")) Assert.True(state.Accept(token));
        foreach (string rest in new[] { "ïve\"", "\\u00efve\"", "ï\\u0076e\"" })
        {
            var other = state.Clone();
            int[] tokens = tokenizer.Encode(rest);
            bool accepted = true;
            foreach (int token in tokens)
            {
                bool allowed = other.IsAllowed(token);
                accepted = other.Accept(token);
                Assert.Equal(allowed, accepted);
                if (!accepted) break;
            }

            Assert.False(accepted, rest);
        }

        Assert.True(state.IsAllowed(tokenizer.Encode("\"")[0]));
    }

    [Fact]
    public void Nesting_ends_in_time()
    {
        var (tokenizer, vocabulary) = Vocabularies.Bytes;
        var grammar = TokenGrammar.Json(vocabulary);
        Random random = new(5);

        Assert.Equal(5 + 63, Texts.Taken(grammar, "{\"a\":" + new string('[', 100)));
        Assert.True(Texts.Takes(grammar, "{\"a\":" + new string('[', 63) + new string(']', 63) + "}"));
        string drawn = Texts.Draw(TokenGrammar.JsonSchema(vocabulary, """{"type":"array","items":{"$ref":"#"},"minItems":0}""", new ConstraintLimits { MaxNesting = 5 }), tokenizer, random, 400);
        using var document = JsonDocument.Parse(drawn, new JsonDocumentOptions { MaxDepth = 5 });
        Assert.Equal(JsonValueKind.Array, document.RootElement.ValueKind);
        Assert.Throws<ConstraintException>(() => TokenGrammar.JsonSchema(vocabulary, """{"type":"array","minItems":1,"items":{"type":"array","minItems":1,"items":{"type":"array"}}}""", new ConstraintLimits { MaxNesting = 2 }));
    }

    [Fact]
    public void Nothing_is_allocated_where_the_grammar_has_been_before()
    {
        var (tokenizer, vocabulary) = Vocabularies.Coder;
        var grammar = TokenGrammar.JsonSchema(vocabulary, Person.Replace("""{"type":"integer"}}""", "false}", StringComparison.Ordinal));
        int[] tokens = tokenizer.Encode("""{"name": "Ada Lovelace", "tags": ["a", "b", "a"]}""");
        long Allocated()
        {
            var state = grammar.Start();
            long before = GC.GetAllocatedBytesForCurrentThread();
            foreach (int token in tokens)
            {
                if (!state.IsAllowed(token) || !state.Accept(token)) return -1;
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Allocated();
        Allocated();

        Assert.Equal(0, Allocated());
    }

    [Fact]
    public async Task Threads_share_a_grammar_also_when_it_forgets()
    {
        var (tokenizer, vocabulary) = Vocabularies.Bytes;
        // Every count of characters is a state, so that tables are emptied on the way.
        var grammar = TokenGrammar.JsonSchema(vocabulary, """{"type":"array","items":{"type":"object","properties":{"t":{"type":"string","maxLength":3000}},"required":["t"]},"minItems":2,"maxItems":4}""");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            Random random = new(thread);
            for (int i = 0; i < 3; i++)
            {
                string text = $$"""[{"t":"{{RandomSchema.Letters(random, 2000, 3000)}}"},{"t": "{{RandomSchema.Letters(random, 2900, 3000)}}"}, {"t":"","u":{{thread}}}]""";
                var state = grammar.Start();
                foreach (int token in tokenizer.Encode(text)) Assert.True(state.Accept(token));
                Assert.True(state.CanEnd);
            }
        })));
    }

    [Fact]
    public void A_text_with_very_many_readings_stays_cheap()
    {
        var (tokenizer, vocabulary) = Vocabularies.Bytes;
        // Each level doubles the ways to read it.
        var grammar = TokenGrammar.JsonSchema(vocabulary, """
            {"$defs":{"t":{"anyOf":[{"type":"object","properties":{"a":{"$ref":"#/$defs/t"}},"additionalProperties":false},
            {"type":"object","properties":{"a":{"$ref":"#/$defs/t"},"b":{"type":"null"}},"additionalProperties":false},{"type":"integer"}]}},"$ref":"#/$defs/t"}
            """);
        string text = string.Concat(Enumerable.Repeat("{\"a\":", 60)) + "1" + new string('}', 60);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.True(Texts.TakesTokens(grammar, tokenizer.Encode(text)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1L << 30);
    }
}
