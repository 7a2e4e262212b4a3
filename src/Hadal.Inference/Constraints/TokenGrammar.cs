using System.Text.Json;
using Hadal.Inference.Constraints.Automata;
using Hadal.Inference.Constraints.Grammar;

namespace Hadal.Inference.Constraints;

/// <summary>A compiled grammar: which tokens may follow which text. Immutable; every member may be called from several threads at once, and requests share it.</summary>
public sealed class TokenGrammar
{
    [ThreadStatic]
    private static MachineState[]? _path;

    [ThreadStatic]
    private static bool[]? _opened;

    private readonly TerminalMasks _masks;
    private readonly bool _hasOpenNames;

    private TokenGrammar(ConstraintVocabulary vocabulary, GrammarNode root, ConstraintLimits limits)
    {
        Vocabulary = vocabulary;
        _hasOpenNames = MinimalNesting.Compute(root);
        _masks = new TerminalMasks(vocabulary, 16 << 20);
        if (!root.HasText) throw new ConstraintException(null, "no text meets the constraint");
        if (root.MinNesting > limits.MaxNesting)
            throw new ConstraintException(null, $"every text of the constraint has arrays and objects more than {limits.MaxNesting} levels deep ({nameof(ConstraintLimits.MaxNesting)})");
        Machine = new GrammarMachine(root, limits.MaxNesting);
    }

    internal ConstraintVocabulary Vocabulary { get; }

    internal GrammarMachine Machine { get; }

    /// <summary>Any JSON object: OpenAI's <c>json_object</c>.</summary>
    /// <param name="vocabulary">The tokens.</param>
    public static TokenGrammar Json(ConstraintVocabulary vocabulary) => Compile(vocabulary, GrammarPart.Json());

    /// <summary>JSON that a schema describes.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="schema">A JSON Schema.</param>
    /// <param name="limits">How much it may ask for; <see cref="ConstraintLimits.Default"/> when null.</param>
    /// <exception cref="ConstraintException">The schema is malformed, unsupported, contradictory or beyond a limit; the message says where.</exception>
    public static TokenGrammar JsonSchema(ConstraintVocabulary vocabulary, string schema, ConstraintLimits? limits = null)
        => Compile(vocabulary, GrammarPart.JsonSchema(schema, limits), limits);

    /// <summary>JSON that a schema describes.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="schema">A JSON Schema.</param>
    /// <param name="limits">How much it may ask for; <see cref="ConstraintLimits.Default"/> when null.</param>
    /// <exception cref="ConstraintException">The schema is malformed, unsupported, contradictory or beyond a limit; the message says where.</exception>
    public static TokenGrammar JsonSchema(ConstraintVocabulary vocabulary, JsonElement schema, ConstraintLimits? limits = null)
        => Compile(vocabulary, GrammarPart.JsonSchema(schema, limits), limits);

    /// <summary>Exactly one of some texts.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="texts">The texts, at least one, none empty.</param>
    public static TokenGrammar Choice(ConstraintVocabulary vocabulary, IReadOnlyList<string> texts) => Compile(vocabulary, GrammarPart.Choice(texts));

    /// <summary>Compiles a grammar that is put together from parts.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="part">The whole text.</param>
    /// <param name="limits">Of these only <see cref="ConstraintLimits.MaxNesting"/> counts here; <see cref="ConstraintLimits.Default"/> when null.</param>
    /// <exception cref="ConstraintException">No text meets it, or it asks for an added token that the vocabulary does not have.</exception>
    public static TokenGrammar Compile(ConstraintVocabulary vocabulary, GrammarPart part, ConstraintLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(part);
        limits ??= ConstraintLimits.Default;
        limits.Validate();
        foreach (int id in part.Tokens)
        {
            if (!vocabulary.IsAdded(id)) throw new ConstraintException(null, $"{id} is not the id of an added token");
        }

        return new TokenGrammar(vocabulary, part.Node, limits);
    }

    /// <summary>A sequence that has no token yet.</summary>
    public GrammarState Start() => new(this, _hasOpenNames ? new NameLog() : null);

    /// <summary>Writes the tokens that may follow a state.</summary>
    internal void Mask(MachineState state, in UsedNames names, NameLog? log, Span<ulong> mask)
    {
        mask.Clear();
        foreach (ref readonly var way in state.Configurations.AsSpan())
        {
            if (way.Terminal.Token >= 0) ConstraintVocabulary.Set(mask, way.Terminal.Token);
            else MaskOf(way).AddTo(mask);
        }

        foreach (int id in state.TokensAcross ??= TokensAcross(state)) ConstraintVocabulary.Set(mask, id);
        if (log is null || !state.InOpenName) return;
        var soFar = log.Text(names.NameStart, names.Characters - names.NameStart);
        for (var used = names.Scope; used is { Length: >= 0 }; used = used.Earlier)
        {
            var text = log.Text(used.Start, used.Length);
            if (text.StartsWith(soFar)) ForbidName(text[soFar.Length..], names.Place, -1, mask);
        }
    }

    private TerminalMask MaskOf(in Configuration way)
    {
        var (terminal, place) = way.Terminal.Canonical(way.Place, Vocabulary.LongestToken);
        return (terminal.IsShared ? Vocabulary.SharedMasks : _masks).Of(terminal, place);
    }

    /// <summary>Tokens that go on behind the terminal that they begin in: the rest of each is read by the whole machine.</summary>
    private int[] TokensAcross(MachineState state)
    {
        if (_path is null || _path.Length <= Vocabulary.LongestToken) (_path, _opened) = (new MachineState[Vocabulary.LongestToken + 1], new bool[Vocabulary.LongestToken + 1]);
        var (path, opened) = (_path, _opened!);
        var labels = Vocabulary.Labels;
        var ends = Vocabulary.Ends;
        var depths = Vocabulary.Depths;
        HashSet<int> tokens = [];
        foreach (ref readonly var way in state.Configurations.AsSpan())
        {
            if (way.Terminal.Token >= 0 || way.Frame is null) continue;
            var mask = MaskOf(way);
            if (mask.Ends.Length == 0) continue;
            var after = Machine.Ended(way.Frame);
            if (!after.HasBytes) continue;
            foreach (int exit in mask.Ends)
            {
                (path[depths[exit]], opened[depths[exit]]) = (after, false);
                for (int node = exit + 1; node < ends[exit];)
                {
                    int depth = depths[node];
                    var before = path[depth - 1];
                    var next = Machine.Step(before, labels[node]);
                    bool open = next is not null && (opened[depth - 1] || (next.InOpenName && !before.InOpenName));
                    // A name that is opened and closed by one token could not be compared with those that were used before.
                    if (next is null || (open && next.AtOpenNameEnd))
                    {
                        node = ends[node];
                        continue;
                    }

                    foreach (int id in Vocabulary.TokensAt(node)) tokens.Add(id);
                    (path[depth], opened[depth]) = (next, open);
                    node++;
                }
            }
        }

        return [.. tokens];
    }

    /// <summary>Takes the tokens out that spell the rest of a name and close it.</summary>
    /// <param name="rest">What of the name is missing.</param>
    /// <param name="place">Where the text stands in the string.</param>
    /// <param name="node">The node of the trie that was reached, or -1 for its root.</param>
    /// <param name="mask">The tokens.</param>
    private void ForbidName(ReadOnlySpan<int> rest, int place, int node, Span<ulong> mask)
    {
        var labels = Vocabulary.Labels;
        var ends = Vocabulary.Ends;
        int end = node < 0 ? labels.Length : ends[node];
        for (int child = node + 1; child < end; child = ends[child])
        {
            int next = StringSyntax.Step(place, labels[child], out int character);
            if (next == StringSyntax.Dead) continue;
            if (next == StringSyntax.Closed)
            {
                if (!rest.IsEmpty) continue;
                foreach (int id in Vocabulary.TokensUnder(child)) ConstraintVocabulary.Clear(mask, id);
            }
            else if (character < 0)
            {
                if (!rest.IsEmpty && StringSyntax.CanBecome(next, rest[0])) ForbidName(rest, next, child, mask);
            }
            else if (!rest.IsEmpty && rest[0] == character)
            {
                ForbidName(rest[1..], next, child, mask);
            }
        }
    }
}
