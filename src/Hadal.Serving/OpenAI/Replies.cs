using System.Security.Cryptography;
using System.Text;
using Hadal.Inference.Batching;
using Hadal.Inference.Generation;
using Hadal.Model.Tokenization;

namespace Hadal.Serving.OpenAI;

/// <summary>From what the engine says to the API's fields.</summary>
internal static class Replies
{
    public static string NewId(string prefix) => prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));

    public static string FinishReason(GenerationResult result, bool callsTools) => (result.FinishReason, callsTools) switch
    {
        (Inference.Generation.FinishReason.Length, _) => "length",
        (_, true) => "tool_calls",
        _ => "stop",
    };

    public static LogprobsField? Logprobs(IReadOnlyList<TokenScore>? scores, Tokenizer tokenizer) => scores is null
        ? null
        : new LogprobsField
        {
            Content = [.. scores.Select(s => Logprob(tokenizer, s.Token, s.LogProbability) with
            {
                TopLogprobs = [.. s.Alternatives.Select(a => Logprob(tokenizer, a.Token, a.LogProbability))],
            })],
        };

    public static CompletionLogprobs CompletionLogprobs(IReadOnlyList<TokenScore> scores, Tokenizer tokenizer, int offset)
    {
        var offsets = new List<int>();
        foreach (var score in scores)
        {
            offsets.Add(offset);
            offset += Text(tokenizer, score.Token).Length;
        }

        return new CompletionLogprobs(
            [.. scores.Select(s => Text(tokenizer, s.Token))],
            [.. scores.Select(s => s.LogProbability)],
            [.. scores.Select(s => s.Alternatives.GroupBy(a => Text(tokenizer, a.Token)).ToDictionary(g => g.Key, g => g.Max(a => a.LogProbability)))],
            offsets);
    }

    /// <summary>What a request has cost.</summary>
    /// <param name="results">The answers, those to the first prompt first.</param>
    /// <param name="choices">Answers to each prompt: a prompt counts once, however many there are.</param>
    /// <param name="reasoningTokens">Tokens of thoughts.</param>
    /// <param name="expertCounts">How often each expert was chosen; or null.</param>
    public static Usage Usage(IReadOnlyCollection<GenerationResult> results, int choices, int reasoningTokens = 0, IReadOnlyList<int>? expertCounts = null)
    {
        long proposed = results.Sum(r => r.ProposedDrafts), accepted = results.Sum(r => r.AcceptedDrafts);
        var prompts = results.Chunk(choices).ToList();
        return new Usage(prompts.Sum(p => p[0].PromptTokens), results.Sum(r => r.Tokens.Count))
        {
            PromptTokensDetails = new PromptDetails(prompts.Sum(p => p.Min(r => r.ReusedPromptTokens))),
            CompletionTokensDetails = new CompletionDetails(reasoningTokens, accepted, proposed - accepted),
            ExpertCounts = expertCounts,
        };
    }

    private static TokenLogprob Logprob(Tokenizer tokenizer, int token, float logProbability)
    {
        var bytes = tokenizer.TokenBytes(token);
        return new TokenLogprob(Encoding.UTF8.GetString(bytes), logProbability, [.. bytes.ToArray().Select(b => (int)b)]);
    }

    private static string Text(Tokenizer tokenizer, int token) => Encoding.UTF8.GetString(tokenizer.TokenBytes(token));
}
