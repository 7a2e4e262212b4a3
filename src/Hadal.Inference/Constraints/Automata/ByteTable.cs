namespace Hadal.Inference.Constraints.Automata;

/// <summary>A terminal written out as a table over classes of bytes. State 0 is the start.</summary>
internal sealed class ByteTable : Terminal
{
    private const int Dead = -1;

    private readonly byte[] _classOf;
    private readonly int _classes;
    private readonly int[] _next;
    private readonly bool[] _accepts;
    private readonly bool[] _continues;

    private ByteTable(byte[] classOf, int classes, int[] next, bool[] accepts)
    {
        (_classOf, _classes, _next, _accepts) = (classOf, classes, next, accepts);
        _continues = new bool[accepts.Length];
        for (int s = 0; s < accepts.Length; s++) _continues[s] = next.AsSpan(s * classes, classes).ContainsAnyExcept(Dead);
        if (!accepts[0] && !_continues[0]) MinNesting = int.MaxValue;
    }

    internal int States => _accepts.Length;

    internal override bool Step(ref TerminalState state, byte value)
    {
        int next = _next[state.State * _classes + _classOf[value]];
        state = new TerminalState(next, 0);
        return next != Dead;
    }

    internal override bool CanEnd(TerminalState state) => _accepts[state.State];

    internal override bool CanContinue(TerminalState state) => _continues[state.State];

    /// <summary>Writes an automaton out that is given by its steps, and leaves out states from which no end can be reached.</summary>
    /// <param name="start">The first state.</param>
    /// <param name="alphabet">One byte for each class that the automaton knows; all bytes that stand for none are in the last class if <paramref name="others"/>.</param>
    /// <param name="others">Whether bytes outside the alphabet are a class, given to <paramref name="step"/> as -1; else they lead nowhere.</param>
    /// <param name="step">The next state, or null.</param>
    /// <param name="accepts">Whether the text may end in a state.</param>
    /// <param name="limit">How many states there may be.</param>
    /// <param name="shared">Whether it is one for all grammars.</param>
    /// <returns>The table; null when there are more states.</returns>
    internal static ByteTable? Explore<T>(T start, ReadOnlySpan<byte> alphabet, bool others, Func<T, int, T?> step, Func<T, bool> accepts, int limit, bool shared = false)
        where T : struct
    {
        byte[] classOf = new byte[256];
        int classes = alphabet.Length + 1;
        Array.Fill(classOf, (byte)alphabet.Length);
        for (int c = 0; c < alphabet.Length; c++) classOf[alphabet[c]] = (byte)c;
        Dictionary<T, int> numbers = new() { [start] = 0 };
        List<T> states = [start];
        List<int> next = [];
        for (int s = 0; s < states.Count; s++)
        {
            for (int c = 0; c < classes; c++)
            {
                T? to = c < alphabet.Length ? step(states[s], alphabet[c]) : others ? step(states[s], -1) : null;
                if (to is not { } target)
                {
                    next.Add(Dead);
                    continue;
                }

                if (!numbers.TryGetValue(target, out int number))
                {
                    number = states.Count;
                    if (number == limit) return null;
                    numbers.Add(target, number);
                    states.Add(target);
                }

                next.Add(number);
            }
        }

        bool[] ends = [.. states.Select(accepts)];
        return Trim(classOf, classes, [.. next], ends, shared);
    }

    private static ByteTable Trim(byte[] classOf, int classes, int[] next, bool[] ends, bool shared)
    {
        bool[] live = Liveness.Of(ends, s => next.AsSpan(s * classes, classes).ToArray());
        for (int i = 0; i < next.Length; i++)
        {
            if (next[i] != Dead && !live[next[i]]) next[i] = Dead;
        }

        return new ByteTable(classOf, classes, next, ends) { IsShared = shared };
    }
}
