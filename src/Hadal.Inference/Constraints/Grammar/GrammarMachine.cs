using System.Runtime.InteropServices;
using Hadal.Inference.Constraints.Automata;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>
/// Reads text by a grammar, byte by byte, in all ways at once: a state is the set of all ways, each a terminal's place with the stack of what follows it. States and
/// stacks are made when they are met first and remembered, equal ones as one object, with the transitions between them. Thread-safe.
/// </summary>
/// <remarks>
/// Every terminal and part has a text, and nesting is refused where its flattest completion would be too deep, so that from every state an end can be reached. What is
/// remembered is forgotten when there is much of it; states in use then move over to the new generation. A text that can be read in very many ways is read in the
/// first <see cref="MaxWays"/> of them, which allows less and nothing wrong.
/// </remarks>
internal sealed class GrammarMachine
{
    internal const int MaxWays = 1024;
    private const int MaxWork = 16 * MaxWays;
    private const int MaxStates = 4096;
    private const int MaxFrames = 65536;

    private readonly Lock _lock = new();
    private readonly int _maxNesting;
    private readonly MachineState _dead;

    // All below is guarded by the lock.
    private object _generation = new();
    private readonly Dictionary<int, MachineState> _states = [];
    private readonly Dictionary<(Structure Node, TerminalState Place, Frame? Parent), Frame> _frames = [];
    private readonly List<Configuration> _ways = [];
    private readonly HashSet<Configuration> _known = [];
    private readonly Queue<(Structure Node, TerminalState Place, Frame? Frame)> _work = [];
    private readonly HashSet<(Structure Node, TerminalState Place, Frame? Frame)> _visited = [];
    private int _stateCount;
    private bool _canEnd;
    private MachineState _start;

    internal GrammarMachine(GrammarNode root, int maxNesting)
    {
        _maxNesting = maxNesting;
        _dead = new MachineState([], false, _generation);
        lock (_lock)
        {
            if (root.HasText) Enter(root, null);
            _start = Finish();
        }
    }

    /// <summary>The state before the text.</summary>
    internal MachineState Start => Volatile.Read(ref _start);

    /// <summary>Takes a byte.</summary>
    /// <returns>The next state; null when no text goes on so.</returns>
    internal MachineState? Step(MachineState state, byte value)
    {
        var next = state.Find(value) ?? SlowStep(state, value);
        return ReferenceEquals(next, _dead) ? null : next;
    }

    /// <summary>Takes an added token.</summary>
    /// <returns>The next state; null when it cannot come.</returns>
    internal MachineState? StepToken(MachineState state, int id)
    {
        lock (_lock)
        {
            state = Current(state);
            foreach (ref readonly var c in state.Configurations.AsSpan())
            {
                if (c.Terminal.Token == id && c.Place.State == 0) Leave(c.Frame);
            }

            var next = Finish();
            return ReferenceEquals(next, _dead) ? null : next;
        }
    }

    /// <summary>The state when the part within a frame has ended.</summary>
    internal MachineState Ended(Frame frame)
    {
        if (frame.Ended is { } known) return known;
        lock (_lock)
        {
            Leave(Current(frame));
            return frame.Ended = Finish();
        }
    }

    internal bool Fits(GrammarNode part, Structure node, Frame? parent)
        => (long)(parent?.Nesting ?? 0) + (node.IsContainer ? 1 : 0) + part.MinNesting <= _maxNesting;

    internal void Enter(GrammarNode part, Structure node, TerminalState next, Frame? parent)
    {
        if (Fits(part, node, parent)) Enter(part, FrameOf(node, next, parent));
    }

    internal void Enter(GrammarNode part, Frame? frame)
    {
        if ((long)(frame?.Nesting ?? 0) + part.MinNesting > _maxNesting) return;
        if (part is Terminal terminal) Add(terminal, terminal.Start, frame);
        else Plan((Structure)part, default, frame);
    }

    internal void Leave(Frame? frame)
    {
        if (frame is null) _canEnd = true;
        else Plan(frame.Node, frame.Place, frame.Parent);
    }

    private MachineState SlowStep(MachineState state, byte value)
    {
        lock (_lock)
        {
            if (_stateCount > MaxStates || _frames.Count > MaxFrames) Forget();
            var source = Current(state);
            if (source.Find(value) is { } known) return known;
            foreach (ref readonly var c in source.Configurations.AsSpan())
            {
                var place = c.Place;
                if (c.Terminal.Step(ref place, value)) Add(c.Terminal, place, c.Frame);
            }

            var next = Finish();
            source.Remember(value, next);
            return next;
        }
    }

    private void Forget()
    {
        _states.Clear();
        _frames.Clear();
        _stateCount = 0;
        _generation = new object();
        _start = Current(_start);
    }

    /// <summary>A state with its stacks in the tables of now.</summary>
    private MachineState Current(MachineState state)
    {
        if (ReferenceEquals(state.Generation, _generation)) return state;
        foreach (ref readonly var c in state.Configurations.AsSpan()) Add(c.Terminal, c.Place, Current(c.Frame), leave: false);
        _canEnd = state.CanEnd;
        return Finish();
    }

    private Frame? Current(Frame? frame)
        => frame is null || ReferenceEquals(frame.Generation, _generation) ? frame : FrameOf(frame.Node, frame.Place, Current(frame.Parent));

    private Frame FrameOf(Structure node, TerminalState place, Frame? parent)
    {
        ref var frame = ref CollectionsMarshal.GetValueRefOrAddDefault(_frames, (node, place, parent), out _);
        return frame ??= new Frame(node, place, parent, _generation);
    }

    private void Add(Terminal terminal, TerminalState place, Frame? frame, bool leave = true)
    {
        if (terminal.CanContinue(place) && _ways.Count < MaxWays)
        {
            Configuration way = new(terminal, place, frame);
            if (_known.Add(way)) _ways.Add(way);
        }

        if (leave && terminal.CanEnd(place)) Leave(frame);
    }

    private void Plan(Structure node, TerminalState place, Frame? frame)
    {
        if (_visited.Count < MaxWork && _visited.Add((node, place, frame))) _work.Enqueue((node, place, frame));
    }

    private MachineState Finish()
    {
        while (_work.TryDequeue(out var item)) item.Node.Expand(item.Place, new Expansion(this, item.Node, item.Frame));
        var ways = CollectionsMarshal.AsSpan(_ways);
        var result = ways.Length == 0 && !_canEnd ? _dead : StateOf(ways, _canEnd);
        _ways.Clear();
        _known.Clear();
        _visited.Clear();
        _canEnd = false;
        return result;
    }

    private MachineState StateOf(ReadOnlySpan<Configuration> ways, bool canEnd)
    {
        HashCode hash = default;
        hash.Add(canEnd);
        foreach (ref readonly var way in ways) hash.Add(way);
        ref var first = ref CollectionsMarshal.GetValueRefOrAddDefault(_states, hash.ToHashCode(), out _);
        for (var s = first; s is not null; s = s.SameHash)
        {
            if (s.CanEnd == canEnd && ways.SequenceEqual(s.Configurations)) return s;
        }

        _stateCount++;
        return first = new MachineState(ways.ToArray(), canEnd, _generation) { SameHash = first };
    }
}
