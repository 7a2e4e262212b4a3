using Hadal.Inference.Constraints.Grammar;

namespace Hadal.Inference.Constraints;

/// <summary>Where one sequence stands in a grammar. Not thread-safe; states of different sequences may share a grammar on different threads.</summary>
/// <remarks>
/// In every state the text can still be completed: either a token is allowed or the text may end. A state made by <see cref="TokenGrammar.Start"/> allocates its bit set
/// once; afterwards nothing is allocated where the grammar has been before, except for the names of objects whose names no schema lists.
/// </remarks>
public sealed class GrammarState
{
    /// <summary>How many tokens <see cref="Rewind"/> can take back at least.</summary>
    public const int RewindLimit = 64;

    private readonly TokenGrammar _grammar;
    private readonly NameLog? _log;
    private readonly ulong[] _allowed;
    private readonly Mark[] _marks = new Mark[RewindLimit];
    private MachineState _state;
    private UsedNames _names = UsedNames.None;
    private long _accepted;
    private int _kept;
    private bool _computed;

    internal GrammarState(TokenGrammar grammar, NameLog? log)
    {
        (_grammar, _log) = (grammar, log);
        _allowed = new ulong[grammar.Vocabulary.Words];
        _state = grammar.Machine.Start;
    }

    /// <summary>The tokens that may come next: bit (id mod 64) of word (id / 64), for ids below <see cref="ConstraintVocabulary.Count"/>. Valid until the next call.</summary>
    public ReadOnlySpan<ulong> Allowed
    {
        get
        {
            if (!_computed)
            {
                _grammar.Mask(_state, _names, _log, _allowed);
                _computed = true;
            }

            return _allowed;
        }
    }

    /// <summary>Whether the text may end here.</summary>
    public bool CanEnd => _state.CanEnd;

    /// <summary>Whether nothing may follow but the end.</summary>
    public bool MustEnd => _state.MustEnd;

    /// <summary>How many tokens were accepted.</summary>
    public long Accepted => _accepted;

    /// <summary>Whether a token may come next.</summary>
    /// <param name="token">Any number.</param>
    public bool IsAllowed(int token) => (uint)token < (uint)_grammar.Vocabulary.Count && ConstraintVocabulary.Contains(Allowed, token);

    /// <summary>Takes the next token.</summary>
    /// <param name="token">Any number.</param>
    /// <returns>
    /// False, with nothing changed, if the text cannot go on with it. All allowed tokens are taken; so are the few that spell a whole name of an open object at once, which
    /// <see cref="Allowed"/> leaves out.
    /// </returns>
    public bool Accept(int token)
    {
        var vocabulary = _grammar.Vocabulary;
        var machine = _grammar.Machine;
        MachineState? state = _state;
        var names = _names;
        if (vocabulary.IsAdded(token))
        {
            state = machine.StepToken(state, token);
            if (state is null) return false;
        }
        else
        {
            var bytes = vocabulary.Bytes(token);
            if (bytes.IsEmpty) return false;
            foreach (byte b in bytes)
            {
                var next = machine.Step(state, b);
                if (next is null || (_log is not null && !UsedNames.Step(ref names, _log, state, next, b))) return false;
                state = next;
            }
        }

        _marks[(int)(_accepted % RewindLimit)] = new Mark(_state, _names);
        _accepted++;
        _kept = Math.Min(_kept + 1, RewindLimit);
        _computed &= ReferenceEquals(state, _state) && names == _names;
        (_state, _names) = (state, names);
        return true;
    }

    /// <summary>Takes the last tokens back.</summary>
    /// <param name="tokens">How many, at most <see cref="RewindLimit"/> and no more than were accepted.</param>
    public void Rewind(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, _kept);
        if (tokens == 0) return;
        _accepted -= tokens;
        _kept -= tokens;
        (_state, _names) = _marks[(int)(_accepted % RewindLimit)];
        _computed = false;
    }

    /// <summary>A second state at the same place, which goes its own way.</summary>
    public GrammarState Clone()
    {
        GrammarState copy = new(_grammar, _log?.Copy()) { _state = _state, _names = _names, _accepted = _accepted, _kept = _kept };
        _marks.CopyTo(copy._marks);
        return copy;
    }

    private readonly record struct Mark(MachineState State, UsedNames Names);
}
