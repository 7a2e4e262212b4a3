using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>A JSON array. Places: 0 before it, 1 behind the opening bracket, 2 behind an item, 3 behind a comma, 4 at the end; and how many items are done.</summary>
/// <param name="first">Items with parts of their own.</param>
/// <param name="others">All further items.</param>
/// <param name="least">How many items there must be.</param>
/// <param name="greatest">How many there may be; <see cref="int.MaxValue"/> for any number.</param>
internal sealed class ArrayStructure(GrammarNode[] first, GrammarNode? others, int least, int greatest) : Structure
{
    private const int AfterOpening = 1, AfterItem = 2, AfterComma = 3;

    internal override bool IsContainer => true;

    internal override IEnumerable<GrammarNode> Parts => others is null ? first : first.Append(others);

    internal override void Expand(TerminalState place, Expansion expansion)
    {
        long done = place.Data;
        switch (place.State)
        {
            case 0:
                expansion.Call(JsonText.ArrayOpening, new TerminalState(AfterOpening, 0));
                break;
            case AfterOpening:
                if (least == 0) expansion.Call(JsonText.ArrayEnd, new TerminalState(4, 0));
                CallItem(done, expansion);
                break;
            case AfterItem:
                if (done < greatest && ItemAt(done) is { } next && expansion.Fits(next)) expansion.Call(JsonText.Comma, new TerminalState(AfterComma, done));
                if (done >= least) expansion.Call(JsonText.ArrayClosing, new TerminalState(4, 0));
                break;
            case AfterComma:
                CallItem(done, expansion);
                break;
            default:
                expansion.End();
                break;
        }
    }

    internal override int LeastNesting()
    {
        int nesting = 0;
        for (int i = 0; i < Math.Min(least, first.Length); i++) nesting = Math.Max(nesting, first[i].MinNesting);
        if (least > first.Length) nesting = Math.Max(nesting, others?.MinNesting ?? int.MaxValue);
        return least > greatest ? int.MaxValue : Deeper(nesting);
    }

    private GrammarNode? ItemAt(long index) => index < first.Length ? first[index] : others;

    private void CallItem(long done, Expansion expansion)
    {
        if (done >= greatest || ItemAt(done) is not { } item) return;
        // Items beyond all bounds are not counted, so that the states of long arrays are the same.
        long next = greatest == int.MaxValue ? Math.Min(done + 1, Math.Max(Math.Max(least, first.Length), 1)) : done + 1;
        expansion.Call(item, new TerminalState(AfterItem, next));
    }
}
