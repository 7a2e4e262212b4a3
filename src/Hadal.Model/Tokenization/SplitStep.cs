namespace Hadal.Model.Tokenization;

/// <summary>One Split step of a pre-tokenizer: cuts a stretch at what a matcher finds.</summary>
/// <param name="matcher">Finds the matches.</param>
/// <param name="behavior">What becomes of them.</param>
/// <param name="invert">Takes the stretches between matches for the matches.</param>
internal sealed class SplitStep(IPieceMatcher matcher, SplitBehavior behavior, bool invert)
{
    /// <summary>Appends the non-empty pieces of a stretch.</summary>
    /// <param name="text">The stretch; matches do not see past it.</param>
    /// <param name="offset">What to add to every position appended.</param>
    /// <param name="matches">Working space.</param>
    /// <param name="pieces">Where the pieces go.</param>
    internal void Split(ReadOnlySpan<char> text, int offset, List<(int Start, int End)> matches, List<(int Start, int End)> pieces)
    {
        matches.Clear();
        matcher.FindAll(text, matches);
        int first = pieces.Count;
        Stretch state = default;
        int place = 0;
        foreach ((int start, int end) in matches)
        {
            if (start > place) Take(place, start, invert, ref state, pieces, first);
            Take(start, end, !invert, ref state, pieces, first);
            place = end;
        }

        if (place < text.Length) Take(place, text.Length, invert, ref state, pieces, first);
        if (behavior == SplitBehavior.MergedWithNext && state.Held) pieces.Add((state.HeldStart, state.HeldEnd));

        int kept = first;
        for (int i = first; i < pieces.Count; i++)
            if (pieces[i].End > pieces[i].Start) pieces[kept++] = (pieces[i].Start + offset, pieces[i].End + offset);
        pieces.RemoveRange(kept, pieces.Count - kept);
    }

    private void Take(int start, int end, bool isMatch, ref Stretch state, List<(int Start, int End)> pieces, int first)
    {
        bool afterMatch = state.LastWasMatch;
        state.LastWasMatch = isMatch;
        switch (behavior)
        {
            case SplitBehavior.Removed:
                if (!isMatch) pieces.Add((start, end));
                break;
            case SplitBehavior.MergedWithPrevious when isMatch && !afterMatch && pieces.Count > first:
            case SplitBehavior.Contiguous when isMatch == afterMatch && pieces.Count > first:
                pieces[^1] = (pieces[^1].Start, end);
                break;
            case SplitBehavior.MergedWithNext:
                // A match waits for what follows: another match takes its place, anything else takes it in.
                if (state.Held && isMatch) pieces.Add((state.HeldStart, state.HeldEnd));
                if (isMatch) (state.Held, state.HeldStart, state.HeldEnd) = (true, start, end);
                else
                {
                    pieces.Add((state.Held ? state.HeldStart : start, end));
                    state.Held = false;
                }

                break;
            default:
                pieces.Add((start, end));
                break;
        }
    }

    private struct Stretch
    {
        internal bool LastWasMatch;
        internal bool Held;
        internal int HeldStart;
        internal int HeldEnd;
    }
}
