using Hadal.Model.Tokenization;

namespace Hadal.Model.Chat;

/// <summary>
/// Splits one answer into thoughts, content and tool calls while it is being generated. It takes the text with control tokens spelled out (decoded with
/// special tokens kept) but without the end-of-sentence token. Text comes out as soon as it cannot be part of a marker any more.
/// </summary>
/// <remarks>
/// Nothing is lost: what comes out, in order, is the text that went in but for markers, the line breaks around thoughts, and around calls their kind, fences and
/// white space. What looks like a call but has no name comes out as content, as it was written. A call whose end is missing ends where the
/// next begins or the answer stops. Not safe for use by several threads at once.
/// </remarks>
public sealed partial class AnswerParser
{
    private readonly ReasoningFormat? _reasoning;
    private readonly ToolCallFormat? _calls;
    private readonly List<AnswerEvent> _events = [];

    // With a tokenizer: how many tokens of each marker have come, less the markers taken.
    private readonly Dictionary<string, int> _credit = [];
    private readonly Dictionary<int, string> _markers = [];
    private string _held = "";
    private State _state;
    private int _callIndex = -1;
    private bool _atStart = true;
    private bool _fenced;
    private bool _strayed;
    private bool _finished;

    internal AnswerParser(ReasoningFormat? reasoning, bool startsInReasoning, bool mayOpenReasoning, ToolCallFormat? calls, Tokenizer? tokenizer)
    {
        (_reasoning, _calls) = (reasoning, calls);
        _state = reasoning is null ? State.Content : startsInReasoning ? State.Reasoning : mayOpenReasoning ? State.Opening : State.Content;
        StartsInReasoning = _state == State.Reasoning;
        if (tokenizer is null) return;
        string?[] markers = [reasoning?.Start, reasoning?.End, .. _callMarkers];
        foreach (string marker in markers.OfType<string>())
        {
            if (tokenizer.IdOf(marker) is not { } id) continue;
            _markers[id] = marker;
            _credit[marker] = 0;
        }
    }

    private enum State
    {
        /// <summary>Nothing but white space so far; thoughts may open.</summary>
        Opening,
        Reasoning,

        /// <summary>Behind the end of thoughts, where line breaks are dropped.</summary>
        AfterReasoning,
        Content,

        /// <summary>Among calls, outside of one.</summary>
        Section,

        /// <summary>In a call, before its name is known.</summary>
        Head,

        /// <summary>Between a call's name and its arguments, where a fence may open.</summary>
        BeforeArguments,
        Arguments,
    }

    /// <summary>Whether the prompt has opened thoughts, which the answer goes on with; false if thoughts are not told from content.</summary>
    public bool StartsInReasoning { get; }

    /// <summary>Takes the next piece of the answer, cut anywhere.</summary>
    /// <param name="text">The piece; it may be empty.</param>
    /// <returns>What is new; empty if the piece has to wait for what follows.</returns>
    /// <exception cref="InvalidOperationException">The answer was finished.</exception>
    public IReadOnlyList<AnswerEvent> Push(string text) => Push(text, []);

    /// <summary>Takes the next piece of the answer, cut anywhere, and the tokens that it came with.</summary>
    /// <param name="text">The piece; it may be empty.</param>
    /// <param name="tokens">The tokens that are new; text may come later than its tokens, but not before. Without a tokenizer in the options they are of no account.</param>
    /// <returns>What is new; empty if the piece has to wait for what follows.</returns>
    /// <exception cref="InvalidOperationException">The answer was finished.</exception>
    public IReadOnlyList<AnswerEvent> Push(string text, IReadOnlyList<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(tokens);
        if (_finished) throw new InvalidOperationException("the answer is finished; each has a parser of its own");
        foreach (int token in tokens)
        {
            if (_markers.TryGetValue(token, out string? marker)) _credit[marker]++;
        }

        _held += text;
        while (Step(last: false))
        {
        }

        return Taken();
    }

    /// <summary>Ends the answer: what was held back comes out, and a call that is open ends.</summary>
    /// <exception cref="InvalidOperationException">The answer was finished before.</exception>
    public IReadOnlyList<AnswerEvent> Finish()
    {
        if (_finished) throw new InvalidOperationException("the answer is finished; each has a parser of its own");
        while (Step(last: true))
        {
        }

        _finished = true;
        return Taken();
    }

    private AnswerEvent[] Taken()
    {
        AnswerEvent[] taken = [.. _events];
        _events.Clear();
        return taken;
    }

    /// <summary>Goes on as far as the held text allows; false if it needs more. At the end of the answer it needs no more and leaves nothing held.</summary>
    private bool Step(bool last) => _state switch
    {
        State.Opening => Opening(last),
        State.Reasoning => InReasoning(last),
        State.AfterReasoning => AfterReasoning(last),
        State.Content => InContent(last),
        State.Section => InSection(last),
        State.Head => InHead(last),
        State.BeforeArguments => BeforeArguments(last),
        _ => InArguments(last),
    };

    private bool Opening(bool last)
    {
        string start = _reasoning!.Start;
        int blank = _held.Length - _held.AsSpan().TrimStart().Length;
        var rest = _held.AsSpan(blank);
        if (rest.StartsWith(start, StringComparison.Ordinal) && Counts(start))
        {
            Spend(start);
            _held = _held[(blank + start.Length)..];
            _state = State.Reasoning;
            return true;
        }

        if (!last && start.AsSpan().StartsWith(rest, StringComparison.Ordinal)) return false;
        _state = State.Content;
        return true;
    }

    private bool InReasoning(bool last)
    {
        if (_atStart)
        {
            _held = _held.TrimStart('\n');
            if (_held.Length == 0) return false;
            _atStart = false;
        }

        int end = FirstMarker(out string? marker, _reasoning!.End, _calls?.SectionStart);
        if (marker is not null)
        {
            Emit(AnswerEventKind.ReasoningDelta, _held[..end].TrimEnd('\n'));
            bool closed = marker == _reasoning.End;
            if (closed) Spend(marker);
            _held = _held[(closed ? end + marker.Length : end)..];
            _state = closed ? State.AfterReasoning : State.Content;
            return true;
        }

        int safe = last ? _held.Length : BeforePartial(_held, _reasoning.End, _calls?.SectionStart);
        if (!last) safe = _held.AsSpan(0, safe).TrimEnd('\n').Length;
        EmitHeld(AnswerEventKind.ReasoningDelta, safe);
        return false;
    }

    private bool AfterReasoning(bool last)
    {
        _held = _held.TrimStart('\n');
        if (_held.Length == 0) return false;
        _state = State.Content;
        return true;
    }

    private bool InContent(bool last)
    {
        if (_calls is null)
        {
            EmitHeld(AnswerEventKind.ContentDelta, _held.Length);
            return false;
        }

        int at = FirstMarker(out string? marker, ToolCallFormat.SectionBegin, ToolCallFormat.CallBegin);
        if (marker is null)
        {
            EmitHeld(AnswerEventKind.ContentDelta, last ? _held.Length : BeforePartial(_held, ToolCallFormat.SectionBegin, ToolCallFormat.CallBegin));
            return false;
        }

        Emit(AnswerEventKind.ContentDelta, _held[..at]);
        Enter(marker, at);
        return true;
    }

    /// <summary>Goes behind a marker that opens or ends the section, or opens a call.</summary>
    private void Enter(string marker, int at)
    {
        Spend(marker);
        _held = _held[(at + marker.Length)..];
        _strayed = false;
        _state = marker switch
        {
            ToolCallFormat.CallBegin => State.Head,
            ToolCallFormat.SectionBegin => State.Section,
            _ => State.Content,
        };
    }

    private void Emit(AnswerEventKind kind, string text)
    {
        if (text.Length > 0) _events.Add(new AnswerEvent(kind, text, kind >= AnswerEventKind.ToolCallStarted ? _callIndex : -1));
    }

    private void EmitHeld(AnswerEventKind kind, int length)
    {
        Emit(kind, _held[..length]);
        _held = _held[length..];
    }

    /// <summary>Whether text that spells a marker is one.</summary>
    private bool Counts(string marker) => !_credit.TryGetValue(marker, out int credit) || credit > 0;

    private void Spend(string marker)
    {
        if (_credit.TryGetValue(marker, out int credit)) _credit[marker] = credit - 1;
    }

    /// <summary>Where the first of some markers stands in the held text; the text's length and null if there is none.</summary>
    private int FirstMarker(out string? marker, params ReadOnlySpan<string?> markers)
    {
        (int at, marker) = (_held.Length, null);
        foreach (string? candidate in markers)
        {
            int found = candidate is null || !Counts(candidate) ? -1 : _held.IndexOf(candidate, StringComparison.Ordinal);
            if (found >= 0 && found < at) (at, marker) = (found, candidate);
        }

        return at;
    }

    /// <summary>How much of a text surely belongs to no marker that is still incomplete: the longest end that begins one is left out.</summary>
    private static int BeforePartial(string text, params ReadOnlySpan<string?> markers)
    {
        int safe = text.Length;
        foreach (string? marker in markers)
        {
            if (marker is null) continue;
            for (int length = Math.Min(marker.Length - 1, text.Length); length > text.Length - safe; length--)
            {
                if (!text.AsSpan(text.Length - length).SequenceEqual(marker.AsSpan(0, length))) continue;
                safe = text.Length - length;
                break;
            }
        }

        return safe;
    }
}
