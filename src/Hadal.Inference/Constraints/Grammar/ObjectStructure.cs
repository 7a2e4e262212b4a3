using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>
/// A JSON object: its listed properties in their order, then others. Places: what was read last, and how many properties there are (low half, if it matters) and the number
/// of the property that is in turn (high half).
/// </summary>
internal sealed class ObjectStructure : Structure
{
    private const int AfterOpening = 1, AfterName = 2, AfterValue = 3, AfterComma = 4, AfterOpenName = 5, AfterOpenNameEnd = 6, AtEnd = 7;

    private readonly ObjectProperty[] _properties;
    private readonly (Terminal Name, GrammarNode Value)[] _others;
    private readonly int _least, _greatest;
    private readonly bool _counts;
    private readonly int[] _requiredFrom;

    /// <param name="properties">The listed properties.</param>
    /// <param name="others">Names that are not listed, in sets that have no name in common, with the values that belong to them.</param>
    /// <param name="least">How many properties there must be.</param>
    /// <param name="greatest">How many there may be; <see cref="int.MaxValue"/> for any number.</param>
    internal ObjectStructure(ObjectProperty[] properties, IEnumerable<(Terminal Name, GrammarNode Value)> others, int least, int greatest)
    {
        (_properties, _others, _least, _greatest) = (properties, [.. others], least, greatest);
        _requiredFrom = new int[properties.Length + 1];
        for (int i = properties.Length - 1; i >= 0; i--) _requiredFrom[i] = _requiredFrom[i + 1] + (properties[i].IsRequired ? 1 : 0);
        _counts = least > 0 || greatest != int.MaxValue;
    }

    internal override bool IsContainer => true;

    internal override bool IsObject => true;

    internal override IEnumerable<GrammarNode> Parts
    {
        get
        {
            foreach (var property in _properties) yield return property.Value;
            foreach (var (name, value) in _others)
            {
                yield return name;
                yield return value;
            }
        }
    }

    internal override void Expand(TerminalState place, Expansion expansion)
    {
        int turn = (int)(place.Data >> 32), count = (int)place.Data;
        switch (place.State)
        {
            case 0:
                expansion.Call(JsonText.ObjectOpening, new TerminalState(AfterOpening, 0));
                break;
            case AfterOpening:
                if (MayEnd(turn, count)) expansion.Call(JsonText.ObjectEnd, new TerminalState(AtEnd, 0));
                Next(turn, count, expansion, true);
                break;
            case AfterName:
                expansion.Call(_properties[turn].Value, new TerminalState(AfterValue, Pack(turn + 1, count + 1)));
                break;
            case AfterValue:
                if (Next(turn, count, expansion, false)) expansion.Call(JsonText.Comma, new TerminalState(AfterComma, place.Data));
                if (MayEnd(turn, count)) expansion.Call(JsonText.ObjectClosing, new TerminalState(AtEnd, 0));
                break;
            case AfterComma:
                Next(turn, count, expansion, true);
                break;
            case AfterOpenName:
                expansion.Call(JsonText.OpenNameEnd, new TerminalState(AfterOpenNameEnd, place.Data));
                break;
            case AfterOpenNameEnd:
                expansion.Call(_others[turn - _properties.Length].Value, new TerminalState(AfterValue, Pack(_properties.Length, count + 1)));
                break;
            default:
                expansion.End();
                break;
        }
    }

    internal override int LeastNesting()
    {
        int nesting = 0;
        foreach (var property in _properties)
        {
            if (property.IsRequired) nesting = Math.Max(nesting, property.Value.MinNesting);
        }

        if (_requiredFrom[0] > _greatest || _least > _greatest) return int.MaxValue;
        // Enough further properties for the least number, the flattest first.
        int missing = _least - _requiredFrom[0];
        if (missing <= 0) return Deeper(nesting);
        List<int> optional = [.. _properties.Where(static p => !p.IsRequired).Select(static p => p.Value.MinNesting)];
        int flattest = _others.Length == 0 ? int.MaxValue : _others.Min(static o => o.Name.HasText ? o.Value.MinNesting : int.MaxValue);
        if (flattest != int.MaxValue)
        {
            // As many as wanted.
            optional.RemoveAll(n => n >= flattest);
            missing = Math.Min(missing, optional.Count + 1);
            optional.Add(flattest);
        }

        if (optional.Count < missing) return int.MaxValue;
        optional.Sort();
        return Deeper(Math.Max(nesting, optional[missing - 1]));
    }

    private static long Pack(int turn, int count) => (long)turn << 32 | (uint)count;

    private bool MayEnd(int turn, int count) => count >= _least && _requiredFrom[turn] == 0;

    /// <summary>What names can come, from a property on.</summary>
    /// <returns>Whether any can.</returns>
    private bool Next(int turn, int count, Expansion expansion, bool call)
    {
        count = Counted(count);
        bool open = false, any = false;
        foreach (var (name, value) in _others) open |= name.HasText && expansion.Fits(value);
        for (int i = turn; i <= _properties.Length; i++)
        {
            // Those before have been passed over: what is left must be enough.
            if (_counts && i > turn && !open && count + Available(i, expansion) < _least) return any;
            if (i == _properties.Length) break;
            var property = _properties[i];
            bool fits = expansion.Fits(property.Value);
            if (fits && (property.IsRequired || _greatest == int.MaxValue || count + 1 + _requiredFrom[i + 1] <= _greatest))
            {
                any = true;
                if (!call) return true;
                expansion.Call(property.Name, new TerminalState(AfterName, Pack(i, count)));
            }

            if (property.IsRequired) return any;
        }

        if (!open || (_greatest != int.MaxValue && count + 1 > _greatest)) return any;
        for (int i = 0; call && i < _others.Length; i++)
        {
            if (expansion.Fits(_others[i].Value)) expansion.Call(_others[i].Name, new TerminalState(AfterOpenName, Pack(_properties.Length + i, count)));
        }

        return true;
    }

    /// <summary>The count as far as it matters.</summary>
    private int Counted(int count) => !_counts ? 0 : _greatest == int.MaxValue ? Math.Min(count, _least) : count;

    private int Available(int turn, Expansion expansion)
    {
        int available = 0;
        for (int i = turn; i < _properties.Length; i++) available += expansion.Fits(_properties[i].Value) ? 1 : 0;
        return available;
    }
}
