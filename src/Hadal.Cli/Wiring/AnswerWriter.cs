using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Inference.Generation;

namespace Hadal.Cli.Wiring;

/// <summary>Shows a text while it is generated.</summary>
internal sealed class AnswerWriter(CommandContext context)
{
    private readonly Streams _streams = context.Streams;

    /// <summary>Generates; the text goes to standard output as it comes, unless JSON is wanted.</summary>
    public GenerationResult Generate(TextGenerator generator, GenerationRequest request, CancellationToken? cancellation = null)
    {
        using var status = new StatusLine(_streams);
        int promptTokens = generator.Encode(request).Length;
        var prefill = new Report<int>(done => status.Show(() => $"reading the prompt: {done} of {promptTokens} tokens"));
        Action<string>? onText = context.Json ? null : text =>
        {
            status.Dispose();
            _streams.Out.Write(_streams.OutIsTerminal ? ScreenText.Harmless(text) : text);
            _streams.Out.Flush();
        };
        var result = generator.Generate(request, onText, prefill, cancellation ?? context.Cancellation);
        if (!context.Json) _streams.Out.WriteLine();
        return result;
    }

    /// <summary>Text that is not the model's.</summary>
    public void WriteDim(string text)
    {
        text = ScreenText.Harmless(text);
        _streams.Out.Write(_streams.Colors ? $"\e[2m{text}\e[0m" : text);
    }

    /// <summary>For instance <c>64 tokens, 118 tokens/s, 71% of the drafts accepted</c>.</summary>
    public static string Summary(GenerationResult result)
    {
        string speed = result.TokensPerSecond > 0 ? $", {Figures.Number(result.TokensPerSecond)} tokens/s" : "";
        string drafts = result.AcceptanceRate is { } rate ? $", {100 * rate:F0}% of {result.ProposedDrafts} drafts accepted" : "";
        string end = result.FinishReason == FinishReason.Length ? "" : ", ended by the model";
        return $"[{result.PromptTokens} prompt tokens, {result.Tokens.Count} generated{speed}{drafts}{end}]";
    }
}
