using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Schema;

/// <summary>Makes the automata of patterns and formats, and counts the states of all automata of a schema.</summary>
internal sealed class StringAutomata(ConstraintLimits limits)
{
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
        if (shape.Patterns.Count == 0 || Left < 0) return null;
        throw shape.Patterns[0].Fault("pattern is not supported");
    }
}
