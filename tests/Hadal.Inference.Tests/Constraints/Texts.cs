using System.Numerics;
using System.Text;
using Hadal.Inference.Constraints;
using Hadal.Model.Tokenization;

namespace Hadal.Inference.Tests.Constraints;

/// <summary>Reads texts by a grammar, and draws texts from one.</summary>
internal static class Texts
{
    /// <summary>Whether a grammar takes a text byte by byte and may end there.</summary>
    public static bool Takes(TokenGrammar grammar, string text) => Taken(grammar, text) == Encoding.UTF8.GetByteCount(text) && TakesTokens(grammar, Bytes(text));

    /// <summary>How many bytes of a text a grammar of <see cref="Vocabularies.Bytes"/> takes.</summary>
    public static int Taken(TokenGrammar grammar, string text)
    {
        var state = grammar.Start();
        int taken = 0;
        foreach (int token in Bytes(text))
        {
            // What is allowed and what is taken must agree.
            bool allowed = state.IsAllowed(token), accepted = state.Accept(token);
            Assert.Equal(allowed, accepted);
            if (!accepted) return taken;
            taken++;
        }

        return taken;
    }

    public static bool TakesTokens(TokenGrammar grammar, IEnumerable<int> tokens)
    {
        var state = grammar.Start();
        return tokens.All(state.Accept) && state.CanEnd;
    }

    public static IEnumerable<int> Bytes(string text) => Encoding.UTF8.GetBytes(text).Select(static b => ByteTokenizer.FirstByte + b);

    /// <summary>Draws a text: any allowed token with the same probability, or with a preference for short ones; after some tokens only what leads on to the end.</summary>
    public static string Draw(TokenGrammar grammar, Tokenizer tokenizer, Random random, int length)
    {
        var state = grammar.Start();
        List<int> tokens = [];
        for (int i = 0; ; i++)
        {
            Assert.True(i < 20 * length + 5000, $"no end after {i} tokens: {tokenizer.Decode([.. tokens])}");
            var allowed = state.Allowed;
            int count = 0;
            foreach (ulong word in allowed) count += BitOperations.PopCount(word);
            Assert.True(count > 0 || state.CanEnd, $"a dead end after {tokenizer.Decode([.. tokens])}");
            Assert.Equal(count == 0, state.MustEnd);
            if (state.MustEnd || (state.CanEnd && (i >= length || random.Next(8) == 0))) return tokenizer.Decode([.. tokens]);
            int token = i >= length && random.Next(10) > 0 ? Closing(allowed, tokenizer, random) : Nth(allowed, random.Next(count));
            Assert.True(state.Accept(token), $"an allowed token was not taken: {tokenizer.TokenName(token)} after {tokenizer.Decode([.. tokens])}");
            tokens.Add(token);
        }
    }

    private static int Nth(ReadOnlySpan<ulong> set, int n)
    {
        for (int w = 0; ; w++)
        {
            int count = BitOperations.PopCount(set[w]);
            if (n >= count)
            {
                n -= count;
                continue;
            }

            ulong word = set[w];
            for (; n > 0; n--) word &= word - 1;
            return 64 * w + BitOperations.TrailingZeroCount(word);
        }
    }

    /// <summary>Of the allowed tokens a quote, else one of the shortest that begins nothing.</summary>
    private static int Closing(ReadOnlySpan<ulong> set, Tokenizer tokenizer, Random random)
    {
        List<int> best = [];
        int bestRank = int.MaxValue;
        for (int w = 0; w < set.Length; w++)
        {
            for (ulong word = set[w]; word != 0; word &= word - 1)
            {
                int id = 64 * w + BitOperations.TrailingZeroCount(word);
                var bytes = tokenizer.TokenBytes(id);
                int rank = bytes is [(byte)'"'] ? 0 : bytes is [(byte)'\\'] or [(byte)','] or [(byte)' '] or [(byte)'\n'] ? 100 : bytes.Length;
                if (rank > bestRank) continue;
                if (rank < bestRank) best.Clear();
                bestRank = rank;
                best.Add(id);
            }
        }

        return best[random.Next(best.Count)];
    }
}
