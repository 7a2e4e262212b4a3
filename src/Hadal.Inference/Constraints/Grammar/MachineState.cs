namespace Hadal.Inference.Constraints.Grammar;

/// <summary>All ways to read the text so far. Immutable but for what is remembered about it; equal ones of one generation are one object.</summary>
internal sealed class MachineState
{
    private const int LinkedTransitions = 6;

    private Transition? _few;
    private MachineState?[]? _table;

    internal MachineState(Configuration[] configurations, bool canEnd, object generation)
    {
        (Configurations, CanEnd, Generation) = (configurations, canEnd, generation);
        foreach (ref readonly var c in configurations.AsSpan())
        {
            if (c.Terminal.Token < 0) HasBytes = true;
            InOpenName |= c.Terminal.IsOpenName && c.Place != c.Terminal.Start;
            AtOpenNameEnd |= c.Terminal.IsOpenNameEnd && c.Place == c.Terminal.Start;
            Objects = Math.Max(Objects, c.Frame?.Objects ?? 0);
        }
    }

    internal Configuration[] Configurations { get; }

    /// <summary>Whether the whole text may end here.</summary>
    internal bool CanEnd { get; }

    /// <summary>Whether no byte and no token can follow.</summary>
    internal bool MustEnd => Configurations.Length == 0;

    /// <summary>Whether a byte can follow, not only an added token.</summary>
    internal bool HasBytes { get; }

    /// <summary>Whether a name is being read that may be one that no schema lists.</summary>
    internal bool InOpenName { get; }

    /// <summary>Whether such a name has just ended.</summary>
    internal bool AtOpenNameEnd { get; }

    /// <summary>Objects that are open.</summary>
    internal int Objects { get; }

    /// <summary>The tables of the machine that its frames are in.</summary>
    internal object Generation { get; }

    /// <summary>Another state of the generation with the same hash.</summary>
    internal MachineState? SameHash { get; init; }

    /// <summary>Tokens that are allowed beyond the masks of the terminals, since they go on behind one, once they were asked for.</summary>
    internal int[]? TokensAcross { get; set; }

    /// <summary>What follows a byte if that is known; safe beside <see cref="Remember"/>.</summary>
    internal MachineState? Find(byte value)
    {
        if (Volatile.Read(ref _table) is { } table) return Volatile.Read(ref table[value]);
        for (var t = Volatile.Read(ref _few); t is not null; t = t.Rest)
        {
            if (t.Value == value) return t.Next;
        }

        return null;
    }

    /// <summary>Remembers what follows a byte; one caller at a time.</summary>
    internal void Remember(byte value, MachineState next)
    {
        if (_table is null)
        {
            int count = 0;
            for (var t = _few; t is not null; t = t.Rest) count++;
            if (count < LinkedTransitions)
            {
                Volatile.Write(ref _few, new Transition(value, next, _few));
                return;
            }

            var table = new MachineState?[256];
            for (var t = _few; t is not null; t = t.Rest) table[t.Value] = t.Next;
            Volatile.Write(ref _table, table);
        }

        Volatile.Write(ref _table[value], next);
    }

    private sealed record Transition(byte Value, MachineState Next, Transition? Rest);
}
