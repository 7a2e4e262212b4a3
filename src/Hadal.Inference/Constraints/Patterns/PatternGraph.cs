namespace Hadal.Inference.Constraints.Patterns;

/// <summary>A regular expression as a graph: nodes that read a character, ask for the start or end of the text, or go on in one or two directions.</summary>
internal sealed class PatternGraph
{
    /// <summary>The node behind the whole expression.</summary>
    internal const int Final = 0;

    private const int MaxNodes = 20_000;

    private readonly List<Node> _nodes = [new(Kind.Final, -1, -1, null)];

    internal PatternGraph(PatternNode pattern) => Start = Add(pattern, Final);

    internal enum Kind
    {
        Final,
        Read,
        Split,
        AtStart,
        AtEnd,
    }

    internal int Start { get; }

    internal int Count => _nodes.Count;

    internal Node this[int node] => _nodes[node];

    /// <summary>Adds a part that goes on at a node, and returns where it begins.</summary>
    private int Add(PatternNode pattern, int next)
    {
        switch (pattern)
        {
            case PatternNode.One one:
                return Add(new Node(Kind.Read, next, -1, one.Ranges));
            case PatternNode.Anchor anchor:
                return Add(new Node(anchor.AtEnd ? Kind.AtEnd : Kind.AtStart, next, -1, null));
            case PatternNode.Series series:
                for (int i = series.Parts.Count - 1; i >= 0; i--) next = Add(series.Parts[i], next);
                return next;
            case PatternNode.Either either:
                int first = Add(either.Parts[^1], next);
                for (int i = either.Parts.Count - 2; i >= 0; i--) first = Add(new Node(Kind.Split, Add(either.Parts[i], next), first, null));
                return first;
            case PatternNode.Repeated { Part: var part, Least: var least, Greatest: var greatest }:
                if (greatest == int.MaxValue)
                {
                    int loop = Add(new Node(Kind.Split, -1, next, null));
                    _nodes[loop] = _nodes[loop] with { Next = Add(part, loop) };
                    next = loop;
                }
                else
                {
                    int end = next;
                    for (int i = least; i < greatest; i++) next = Add(new Node(Kind.Split, Add(part, next), end, null));
                }

                for (int i = 0; i < least; i++) next = Add(part, next);
                return next;
            default:
                throw new InvalidOperationException();
        }
    }

    private int Add(Node node)
    {
        if (_nodes.Count == MaxNodes) throw new PatternException($"written out, its repetitions take more than {MaxNodes:N0} places");
        _nodes.Add(node);
        return _nodes.Count - 1;
    }

    /// <param name="Kind">What it does.</param>
    /// <param name="Next">Where it goes on.</param>
    /// <param name="Other">Where else, for a split.</param>
    /// <param name="Ranges">What it reads.</param>
    internal readonly record struct Node(Kind Kind, int Next, int Other, CharacterRanges? Ranges);
}
