using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Cli.Output;
using Hadal.Inference.Experts;
using Hadal.Inference.Generation;
using Hadal.Model.Chat;

namespace Hadal.Cli.Wiring;

/// <summary>Shows a text while it is generated.</summary>
internal sealed class AnswerWriter(CommandContext context)
{
    private readonly Streams _streams = context.Streams;

    /// <summary>Generates; the text goes to standard output as it comes, unless JSON is wanted.</summary>
    /// <param name="generator">Generates.</param>
    /// <param name="request">What.</param>
    /// <param name="lead">On a screen, what stands before the text, paler than it.</param>
    /// <param name="parser">Tells thoughts from the answer: on a screen they are paler, elsewhere left out. Null if all is answer.</param>
    /// <param name="cancellation">Ends the text early; null for when the command is to stop.</param>
    public GenerationResult Generate(
        TextGenerator generator, GenerationRequest request, string lead = "", AnswerParser? parser = null, CancellationToken? cancellation = null)
    {
        using var status = new StatusLine(_streams);
        int promptTokens = generator.Encode(request).Length;
        var prefill = new Report<int>(done => status.Show(() => $"reading the prompt: {done} of {promptTokens} tokens"));
        bool begun = false, thinking = false;
        var result = generator.Generate(request, context.Json ? null : text => Show(parser?.Push(text), text), prefill, cancellation ?? context.Cancellation);
        if (context.Json) return result;
        if (parser is not null) Show(parser.Finish(), "");
        if (!begun) Write("");
        _streams.Out.WriteLine();
        return result;

        void Show(IReadOnlyList<AnswerEvent>? events, string text)
        {
            if (events is null) Write(text);
            foreach (var (kind, piece, _) in events ?? [])
            {
                bool thought = kind == AnswerEventKind.ReasoningDelta;
                if (thought && !_streams.OutIsTerminal) continue;
                if (thinking && !thought) Write("\n\n");
                thinking = thought;
                Write(piece, pale: thought);
            }
        }

        void Write(string text, bool pale = false)
        {
            if (!begun)
            {
                status.Dispose();
                if (_streams.OutIsTerminal) _streams.Out.Write(Pale(ScreenText.Harmless(lead)));
                begun = true;
            }

            string shown = _streams.OutIsTerminal ? ScreenText.Harmless(text) : text;
            _streams.Out.Write(pale ? Pale(shown) : shown);
            _streams.Out.Flush();
        }
    }

    private string Pale(string text) => _streams.Colors && text.Length > 0 ? $"\e[2m{text}\e[0m" : text;

    /// <summary>For instance <c>64 tokens, 118 tokens/s, 71% of the drafts accepted</c>.</summary>
    public static string Summary(GenerationResult result, ExpertStatistics? experts)
    {
        string speed = result.TokensPerSecond > 0 ? $", {Figures.Number(result.TokensPerSecond)} tokens/s" : "";
        string drafts = result.AcceptanceRate is { } rate ? $", {100 * rate:F0}% of {result.ProposedDrafts} drafts accepted" : "";
        string end = result.FinishReason switch
        {
            FinishReason.Stop => ", ended by the model",
            FinishReason.Cancelled => ", stopped",
            _ => "",
        };
        return $"[{result.PromptTokens} prompt tokens, {result.Tokens.Count} generated{speed}{drafts}{end}{(experts is null ? "" : "; experts: " + ExpertFigures.Summary(experts))}]";
    }
}
