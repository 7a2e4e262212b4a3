using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using Hadal.Inference.Constraints;
using Hadal.Model.Tokenization;

namespace Hadal.Benchmarks;

/// <summary>Time of constrained decoding per token: accepting one, and computing which may come next.</summary>
/// <remarks>
/// Tokens are those of real texts, the first pass is cold (nothing is remembered but what other grammars share), later ones are warm; and tokens drawn at random from what is
/// allowed, which leads into far more states than a model's texts do.
/// </remarks>
internal static class ConstraintSpeed
{
    private const int WarmPasses = 50;
    private const int RandomTokens = 5000;

    private static readonly (string Name, string? Schema, string Text)[] _cases =
    [
        ("any JSON object", null,
            """
            {"order": {"id": 12345, "customer": {"name": "Jürgen Müller", "email": "jm@example.org"}, "items": [{"sku": "A-1", "quantity": 2, "price": 19.99}, {"sku": "B-7",
             "quantity": 1, "price": 5}], "paid": true, "notes": null}}
            """),
        ("record of 8 fields", """
            {"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":150},"email":{"type":"string","format":"email"},
            "born":{"type":"string","format":"date"},"score":{"type":"number","minimum":0,"maximum":1},"kind":{"enum":["customer","supplier","partner"]},
            "tags":{"type":"array","items":{"type":"string","maxLength":20},"maxItems":10},"note":{"type":["string","null"]}},
            "required":["name","age","email","born","score","kind","tags","note"],"additionalProperties":false}
            """,
            """
            {"name": "Ada Lovelace", "age": 36, "email": "ada.lovelace@example.org", "born": "1815-12-10", "score": 0.9375, "kind": "partner", "tags": ["mathematics", "engines",
             "poetry"], "note": "Wrote the first program; corresponded with Babbage about the Analytical Engine for years."}
            """),
        ("recursive tree", """
            {"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"label":{"type":"string","minLength":1},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}},
            "required":["label","children"],"additionalProperties":false}}}
            """,
            """
            {"label": "animals", "children": [{"label": "mammals", "children": [{"label": "whale", "children": []}, {"label": "bat", "children": []}]}, {"label": "birds", "children": [
            {"label": "penguin", "children": []}]}]}
            """),
        ("text of at most 400 characters", """{"type":"object","properties":{"summary":{"type":"string","minLength":10,"maxLength":400}},"required":["summary"],"additionalProperties":false}""",
            """
            {"summary": "The hadal zone is the deepest part of the ocean, below six thousand metres, lying within oceanic trenches. It was long thought to be without life; today more than four hundred species are known there."}
            """),
        ("pattern", """{"type":"array","items":{"type":"string","pattern":"^[A-Z]{2,4}-\\d{3,6}( \\(\\w+\\))?$"}}""", """["AB-123", "XYZ-99887 (spare)", "QQ-4711", "ABCD-100000 (old)", "ZZ-999"]"""),
        ("choice of 3", "", "undecided"),
    ];

    /// <summary>Measures and prints a table.</summary>
    /// <param name="arguments">A tokenizer.</param>
    internal static int Run(ReadOnlySpan<string> arguments)
    {
        if (arguments.Length != 1)
        {
            Console.Error.WriteLine("usage: constraints TOKENIZER");
            return 2;
        }

        var tokenizer = Tokenizer.Load(arguments[0]);
        long clock = Stopwatch.GetTimestamp();
        var vocabulary = ConstraintVocabulary.Build(tokenizer);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{vocabulary.Count:N0} ids; trie built in {Stopwatch.GetElapsedTime(clock).TotalMilliseconds:0} ms\n"));
        // The code is compiled before anything is timed, by a vocabulary of its own whose masks are not used again.
        var other = ConstraintVocabulary.Build(tokenizer);
        foreach (var (_, schema, text) in _cases)
        {
            for (int i = 0; i < 40; i++) Follow(Compile(other, schema), tokenizer.Encode(text.ReplaceLineEndings("").Trim()), []);
            Draw(Compile(other, schema), new Random(2), [], 500);
        }

        // The compiler's own thread needs time to finish what the first passes asked for.
        Thread.Sleep(2000);
        foreach (var (_, schema, text) in _cases)
        {
            for (int i = 0; i < 40; i++) Follow(Compile(other, schema), tokenizer.Encode(text.ReplaceLineEndings("").Trim()), []);
        }

        Thread.Sleep(2000);
        Console.WriteLine("| grammar | compiling, µs | tokens | cold: mean, µs | worst, µs | warm: mean, µs | p99, µs | bytes a token | random: mean, µs | p99, µs | worst, µs |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var (name, schema, text) in _cases)
        {
            int[] tokens = tokenizer.Encode(text.ReplaceLineEndings("").Trim());
            clock = Stopwatch.GetTimestamp();
            var grammar = Compile(vocabulary, schema);
            double compiling = Stopwatch.GetElapsedTime(clock).TotalMicroseconds;
            List<double> cold = [], warm = [], random = [];
            Follow(grammar, tokens, cold);
            Follow(grammar, tokens, []);
            warm.EnsureCapacity(WarmPasses * (tokens.Length + 1));
            long allocated = 0;
            for (int pass = 0; pass < WarmPasses; pass++) allocated += Follow(grammar, tokens, warm);
            Draw(grammar, new Random(1), random, RandomTokens);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {compiling:N0} | {tokens.Length} | {cold.Average():N1} | {cold.Max():N0} | {warm.Average():N1} | {Percentile(warm, 0.99):N1} | {allocated / (double)warm.Count:N0} | {random.Average():N1} | {Percentile(random, 0.99):N0} | {random.Max():N0} |"));
        }

        return 0;
    }

    private static TokenGrammar Compile(ConstraintVocabulary vocabulary, string? schema)
        => schema switch
        {
            null => TokenGrammar.Json(vocabulary),
            "" => TokenGrammar.Choice(vocabulary, ["yes", "no", "undecided"]),
            _ => TokenGrammar.JsonSchema(vocabulary, schema),
        };

    /// <summary>Follows a text; each time is that of one mask and of accepting one token.</summary>
    /// <returns>Bytes allocated after the start.</returns>
    private static long Follow(TokenGrammar grammar, int[] tokens, List<double> microseconds)
    {
        var state = grammar.Start();
        microseconds.EnsureCapacity(microseconds.Count + tokens.Length);
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (int token in tokens)
        {
            long start = Stopwatch.GetTimestamp();
            bool allowed = state.IsAllowed(token);
            bool accepted = state.Accept(token);
            microseconds.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            if (!allowed || !accepted) throw new InvalidOperationException("a text does not follow its grammar");
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return state.CanEnd ? allocated : throw new InvalidOperationException("a text ends too early");
    }

    private static void Draw(TokenGrammar grammar, Random random, List<double> microseconds, int count)
    {
        var state = grammar.Start();
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            var allowed = state.Allowed;
            double spent = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            int bits = 0;
            foreach (ulong word in allowed) bits += BitOperations.PopCount(word);
            if (bits == 0 || i % 200 == 199)
            {
                state = grammar.Start();
                continue;
            }

            int token = Nth(allowed, random.Next(bits));
            start = Stopwatch.GetTimestamp();
            state.Accept(token);
            microseconds.Add(spent + Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }
    }

    private static int Nth(ReadOnlySpan<ulong> set, int n)
    {
        for (int w = 0; ; w++)
        {
            ulong word = set[w];
            int bits = BitOperations.PopCount(word);
            if (n < bits)
            {
                for (; n > 0; n--) word &= word - 1;
                return 64 * w + BitOperations.TrailingZeroCount(word);
            }

            n -= bits;
        }
    }

    private static double Percentile(List<double> values, double part)
    {
        values.Sort();
        return values[(int)(part * (values.Count - 1))];
    }
}
