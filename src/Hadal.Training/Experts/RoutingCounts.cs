using Hadal.Numerics;

namespace Hadal.Training.Experts;

/// <summary>Where the router of one layer sent the tokens since the last clearing.</summary>
internal sealed class RoutingCounts(int experts, int groups)
{
    private readonly long[] _reached = new long[groups];
    private readonly int _groupSize = experts / groups;
    private int[] _choices = [];
    private int _count;

    /// <summary>Tokens routed to each expert.</summary>
    public long[] Load { get; } = new long[experts];

    /// <summary>Tokens with at least one expert in each group: what would cross to the group's node, where a token goes once however many of its experts are there.</summary>
    public ReadOnlySpan<long> TokensPerGroup => _reached;

    /// <summary>[T·C] choices of the last micro-batch, C of a token in a row.</summary>
    public ReadOnlySpan<int> LastChoices => _choices.AsSpan(0, _count);

    public void Clear()
    {
        Array.Clear(Load);
        Array.Clear(_reached);
    }

    /// <summary>Counts a micro-batch.</summary>
    /// <param name="backend">Where the choices are.</param>
    /// <param name="choices">I32 [T, C].</param>
    public void Add(IBackend backend, Tensor choices)
    {
        _count = (int)choices.Count;
        if (_choices.Length < _count) _choices = new int[_count];
        backend.Read(choices, _choices.AsSpan(0, _count));
        int chosen = choices.Columns;
        for (int t = 0; t < _count; t += chosen)
        {
            for (int i = t; i < t + chosen; i++)
            {
                int group = _choices[i] / _groupSize;
                bool first = true;
                for (int j = t; j < i && first; j++) first = _choices[j] / _groupSize != group;
                Load[_choices[i]]++;
                if (first) _reached[group]++;
            }
        }
    }
}
