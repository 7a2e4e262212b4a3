using System.CommandLine;
using Hadal.Inference.Batching;

namespace Hadal.Cli.CommandLine;

/// <summary><c>--embeddings</c>: how the vector of a text is made of its hidden states.</summary>
internal static class PoolingNames
{
    private static readonly Dictionary<string, Pooling> _ways = new() { ["mean"] = Pooling.Mean, ["last"] = Pooling.Last };

    /// <summary>A fresh option.</summary>
    public static Option<Pooling?> Option() => new("--embeddings")
    {
        Description = "Answer /v1/embeddings with hidden states: their mean over the text, or that of its last token. Left out: not offered, since these models are not trained for it.",
        HelpName = "mean|last",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (_ways.TryGetValue(text, out var pooling)) return pooling;
            result.AddError($"--embeddings is \"{text}\", but has to be one of {string.Join(", ", _ways.Keys)}.");
            return default;
        },
    };
}
