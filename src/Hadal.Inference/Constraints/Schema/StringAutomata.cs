using Hadal.Inference.Constraints.Automata;
using Hadal.Inference.Constraints.Patterns;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>Makes the automata of patterns and formats, each once, and counts the states of all automata of a schema.</summary>
internal sealed class StringAutomata(ConstraintLimits limits)
{
    private readonly Dictionary<string, CharacterAutomaton> _known = new(StringComparer.Ordinal);

    /// <summary>How many states there may still be.</summary>
    internal int Left { get; private set; } = limits.MaxAutomatonStates;

    internal void Take(int states, SchemaPlace place)
    {
        Left -= states;
        if (Left < 0) throw place.Fault($"the schema's automata have more than {limits.MaxAutomatonStates:N0} states ({nameof(ConstraintLimits.MaxAutomatonStates)})");
    }

    /// <summary>The automaton of all patterns and formats of a shape with its lengths; null when it has neither.</summary>
    internal CharacterAutomaton? Of(SchemaShape shape)
    {
        var (result, key) = OfPatterns(shape);
        return result is null ? null : WithLengths(result, key, shape);
    }

    /// <summary>The terminal of all patterns and formats of a shape with its lengths; null when it has neither.</summary>
    internal Terminal? TerminalOf(SchemaShape shape)
    {
        var (result, key) = OfPatterns(shape);
        if (result is null) return null;
        return result.AcceptsLonger ? new PatternStringTerminal(result, shape.MinLength, shape.MaxLength) : new PatternStringTerminal(WithLengths(result, key, shape));
    }

    private (CharacterAutomaton? Automaton, string Key) OfPatterns(SchemaShape shape)
    {
        CharacterAutomaton? result = null;
        string key = "";
        foreach (var pattern in shape.Patterns) (result, key) = And(result, key, Of(pattern.Text(), pattern), pattern.Text(), pattern);
        foreach (var format in shape.Formats)
        {
            if (StringFormat.Automaton(format.Text()) is { } automaton) (result, key) = And(result, key, automaton, $"\0{format.Text()}", format);
        }

        return (result, key);
    }

    private CharacterAutomaton WithLengths(CharacterAutomaton result, string key, SchemaShape shape)
    {
        if (shape is { MinLength: 0, MaxLength: int.MaxValue }) return result;
        var place = shape.Patterns.Concat(shape.Formats).First();
        key = $"{key}\n{shape.MinLength},{shape.MaxLength}";
        return Known(key, place, () => AutomatonProduct.Of(result, AutomatonProduct.OfLength(shape.MinLength, shape.MaxLength, Left), Left));
    }

    /// <summary>The automaton of a shape's lengths alone.</summary>
    internal CharacterAutomaton OfLength(SchemaShape shape, SchemaPlace place)
        => shape is { MinLength: 0, MaxLength: int.MaxValue } ? AutomatonProduct.All : Made(place, () => AutomatonProduct.OfLength(shape.MinLength, shape.MaxLength, Left));

    /// <summary>The automaton of one pattern.</summary>
    internal CharacterAutomaton Of(string pattern, SchemaPlace place)
    {
        if (pattern.Length > limits.MaxPatternLength) throw place.Fault($"the pattern has more than {limits.MaxPatternLength:N0} characters ({nameof(ConstraintLimits.MaxPatternLength)})");
        return Known(pattern, place, () => PatternAutomaton.Compile(pattern, Left));
    }

    /// <summary>What two automata of a schema both accept.</summary>
    internal CharacterAutomaton Both(CharacterAutomaton a, CharacterAutomaton b, SchemaPlace place) => Made(place, () => AutomatonProduct.Of(a, b, Left));

    private (CharacterAutomaton Automaton, string Key) And(CharacterAutomaton? other, string key, CharacterAutomaton automaton, string name, SchemaPlace place)
    {
        if (other is null) return (automaton, name);
        string both = $"{key}\n{name}";
        return (Known(both, place, () => AutomatonProduct.Of(other, automaton, Left)), both);
    }

    private CharacterAutomaton Known(string key, SchemaPlace place, Func<CharacterAutomaton> make)
    {
        if (!_known.TryGetValue(key, out var automaton)) _known.Add(key, automaton = Made(place, make));
        return automaton;
    }

    private CharacterAutomaton Made(SchemaPlace place, Func<CharacterAutomaton> make)
    {
        try
        {
            var automaton = make();
            Take(automaton.States, place);
            return automaton;
        }
        catch (PatternException e)
        {
            throw place.Fault($"the pattern or format is not supported: {e.Message}");
        }
    }
}
