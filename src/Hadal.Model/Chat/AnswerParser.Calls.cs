namespace Hadal.Model.Chat;

/// <content>
/// Tool calls. Both formats are read whichever the model is said to write, since models stray: <c>begin KIND sep NAME fence ARGUMENTS fence end</c> and
/// <c>begin NAME sep ARGUMENTS end</c> differ in what follows the separator, arguments (which begin with a brace) or a name.
/// </content>
public sealed partial class AnswerParser
{
    private const string Kind = "function", Fence = "```", Language = "json";

    /// <summary>Where the separator has to begin at the latest for what stands there to be a call, and how much further the name may end; more than a marker's length.</summary>
    private const int MostHead = 512, Margin = 64;

    private static readonly string[] _callMarkers =
    [
        ToolCallFormat.SectionBegin, ToolCallFormat.SectionEndToken, ToolCallFormat.CallBegin, ToolCallFormat.CallEndToken, ToolCallFormat.NameSeparator,
    ];

    private bool InSection(bool last)
    {
        int at = FirstMarker(out string? marker, ToolCallFormat.CallBegin, ToolCallFormat.SectionEndToken, ToolCallFormat.SectionBegin);
        int safe = marker is not null ? at : last ? _held.Length : BeforePartial(
            _held, ToolCallFormat.CallBegin, ToolCallFormat.SectionEndToken, ToolCallFormat.SectionBegin);

        // White space between calls is theirs; anything else is the model's to say, with the white space around it.
        _strayed |= !_held.AsSpan(0, safe).IsWhiteSpace();
        if (_strayed) Emit(AnswerEventKind.ContentDelta, _held[..safe]);
        if (marker is null)
        {
            if (_strayed || last) _held = _held[safe..];
            return false;
        }

        Enter(marker, at);
        return true;
    }

    /// <summary>Reads a call up to its name.</summary>
    private bool InHead(bool last)
    {
        int end = FirstCallBorder(out string? border);
        int sep = FirstMarker(out string? separator, ToolCallFormat.NameSeparator);
        if (separator is null || sep > end || sep > MostHead) return Nameless(end, border, last);
        string first = _held[..sep].Trim();
        int from = sep + ToolCallFormat.NameSeparator.Length;
        int value = BehindBlank(_held, from, end);
        if ((value == end && border is null && !last) || value > MostHead + Margin) return Nameless(end, border, last);

        // What stands before the separator is the kind or, where no kind is written, the name: then arguments follow, or nothing.
        bool named = first == Kind ? value == end || (_calls == ToolCallFormat.Bare && _held[value] == '{') : first.Length > 0;
        if (named) return Start(first, from);
        int stop = _held.AsSpan(value, end - value).IndexOfAny("\n{`");
        if (stop < 0 && border is null && !last) return Nameless(end, border, last);
        stop = stop < 0 ? end : value + stop;
        string name = _held[value..stop].Trim();
        return name.Length == 0 || stop > MostHead + Margin ? Nameless(end, border, last) : Start(name, stop);
    }

    private bool Start(string name, int from)
    {
        Spend(ToolCallFormat.NameSeparator);
        _callIndex++;
        Emit(AnswerEventKind.ToolCallStarted, name);
        _held = _held[from..];
        _state = State.BeforeArguments;
        return true;
    }

    /// <summary>What should have been a call goes out as it was written, once it is over or longer than a name can be. Until then it waits.</summary>
    private bool Nameless(int end, string? border, bool last)
    {
        if (end > MostHead + Margin) (end, border) = (MostHead, null);
        else if (border is null && !last) return false;
        if (border == ToolCallFormat.CallEndToken) end = Behind(border, end);
        Emit(AnswerEventKind.ContentDelta, ToolCallFormat.CallBegin + _held[..end]);
        _held = _held[end..];
        _strayed = true;
        _state = State.Section;
        return true;
    }

    private int Behind(string marker, int at)
    {
        Spend(marker);
        return at + marker.Length;
    }

    private bool BeforeArguments(bool last)
    {
        int end = FirstCallBorder(out string? border);
        int at = BehindBlank(_held, 0, end);
        var rest = _held.AsSpan(at, end - at);
        bool complete = border is not null || last;
        _fenced = rest.StartsWith(Fence, StringComparison.Ordinal);
        if (!complete && (MayBecome(rest, Fence + Language) || (!_fenced && PartialBorder(_held) <= at))) return false;
        if (_fenced) at += rest.StartsWith(Fence + Language, StringComparison.Ordinal) ? (Fence + Language).Length : Fence.Length;
        _held = _held[at..];
        _atStart = true;
        _state = State.Arguments;
        return true;
    }

    private bool InArguments(bool last)
    {
        if (_atStart)
        {
            _held = _held.TrimStart();
            if (_held.Length == 0 && !last) return false;
            _atStart = false;
        }

        int end = FirstCallBorder(out string? border);
        if (border is null && !last)
        {
            // The closing fence and the white space around it are held until it is known that the call ends behind them.
            int safe = _held.AsSpan(0, PartialBorder(_held)).TrimEnd().Length;
            if (_fenced)
            {
                int ticks = safe;
                while (ticks > 0 && safe - ticks < Fence.Length && _held[ticks - 1] == '`') ticks--;
                safe = _held.AsSpan(0, ticks).TrimEnd().Length;
            }

            EmitHeld(AnswerEventKind.ToolCallArgumentsDelta, safe);
            return false;
        }

        var arguments = _held.AsSpan(0, end).TrimEnd();
        if (_fenced && arguments.EndsWith(Fence, StringComparison.Ordinal)) arguments = arguments[..^Fence.Length].TrimEnd();
        Emit(AnswerEventKind.ToolCallArgumentsDelta, arguments.ToString());
        _events.Add(new AnswerEvent(AnswerEventKind.ToolCallEnded, "", _callIndex));
        _held = _held[(border == ToolCallFormat.CallEndToken ? Behind(border, end) : end)..];
        _state = State.Section;
        return true;
    }

    /// <summary>Where a call ends: at its end, or at what cannot stand in it.</summary>
    private int FirstCallBorder(out string? border)
        => FirstMarker(out border, ToolCallFormat.CallEndToken, ToolCallFormat.CallBegin, ToolCallFormat.SectionEndToken, ToolCallFormat.SectionBegin);

    private static int PartialBorder(string text)
        => BeforePartial(text, ToolCallFormat.CallEndToken, ToolCallFormat.CallBegin, ToolCallFormat.SectionEndToken, ToolCallFormat.SectionBegin);

    private static bool MayBecome(ReadOnlySpan<char> text, string whole) => text.Length < whole.Length && whole.AsSpan().StartsWith(text, StringComparison.Ordinal);

    private static int BehindBlank(string text, int from, int end)
    {
        while (from < end && char.IsWhiteSpace(text[from])) from++;
        return from;
    }
}
