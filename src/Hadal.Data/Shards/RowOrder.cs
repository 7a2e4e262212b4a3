using Hadal.Data.Corpora;

namespace Hadal.Data.Shards;

/// <summary>Which row comes n-th in training, computed from n alone.</summary>
/// <remarks>
/// Without weights: all rows, shuffled anew for each epoch. With weights the sequence is cut into blocks of <see cref="BlockRows"/> rows. Each block has the same number of rows of each group, the
/// weights' shares rounded by largest remainder, in an order shuffled by seed and block; so the i-th row of a group is known without counting, and each group runs through epochs of its own.
/// </remarks>
internal sealed class RowOrder
{
    public const int BlockRows = 4096;

    private readonly RowSplit _split;
    private readonly WindowOrder _order;
    private readonly int[]? _ends;
    private readonly WindowOrder[] _groupOrders = [];

    public RowOrder(RowSplit split, IReadOnlyDictionary<string, double>? weights, ulong seed)
    {
        _split = split;
        if (split.TrainingRows == 0) throw new DataException("The dataset has no row to train on.");
        if (weights is null || weights.Count == 0)
        {
            _order = new WindowOrder(split.TrainingRows, seed);
            return;
        }

        var groups = split.TrainingGroups;
        foreach (var (name, weight) in weights)
        {
            if (!groups.Contains(name, StringComparer.Ordinal))
                throw new DataException($"There is a weight for \"{name}\", but the dataset has {string.Join(", ", groups.Order(StringComparer.Ordinal))} to train on.");
            if (!double.IsFinite(weight) || weight < 0) throw new DataException($"The weight of \"{name}\" has to be a number of 0 or more.");
        }

        int[] counts = Counts([.. groups.Select(g => weights.GetValueOrDefault(g))]);
        _order = new WindowOrder(BlockRows, seed);
        _groupOrders = [.. groups.Select((_, g) => new WindowOrder(split.CountIn(g), SplitHash.Mix(seed + (ulong)g + 1)))];
        _ends = new int[counts.Length];
        for (int g = 0, sum = 0; g < counts.Length; g++) _ends[g] = sum += counts[g];
    }

    /// <summary>What each group has to train on, and its share of the rows that training sees.</summary>
    public IReadOnlyList<GroupShare> Shares
    {
        get
        {
            var groups = _split.TrainingGroups;
            return [.. groups.Select((name, g) => new GroupShare(name, _split.CountIn(g), _ends is null ? _split.CountIn(g) / (double)_split.TrainingRows : Block(g) / (double)BlockRows))];
        }
    }

    public long this[long n]
    {
        get
        {
            if (_ends is null)
            {
                (long epoch, long index) = Math.DivRem(n, _split.TrainingRows);
                return _split.TrainingRow(_order[epoch, index]);
            }

            (long block, long place) = Math.DivRem(n, BlockRows);
            int slot = (int)_order[block, place], group = 0;
            while (slot >= _ends[group]) group++;
            int count = Block(group), first = _ends[group] - count;
            (long pass, long inside) = Math.DivRem(block * count + slot - first, _split.CountIn(group));
            return _split.TrainingRow(group, _groupOrders[group][pass, inside]);
        }
    }

    // Rows of a group in a block.
    private int Block(int group) => _ends![group] - (group == 0 ? 0 : _ends[group - 1]);

    // Largest remainder; among equal remainders the first group. A group with a weight has at least one row a block.
    private static int[] Counts(double[] weights)
    {
        double sum = weights.Sum();
        if (!(sum > 0)) throw new DataException("At least one group needs a weight above 0.");
        double[] wanted = [.. weights.Select(w => w / sum * BlockRows)];
        int[] counts = [.. weights.Select((w, g) => w > 0 ? Math.Max(1, (int)wanted[g]) : 0)];
        while (counts.Sum() < BlockRows) counts[Best(g => wanted[g] - counts[g])]++;
        while (counts.Sum() > BlockRows) counts[Best(g => counts[g] > 1 ? counts[g] - wanted[g] : double.NegativeInfinity)]--;
        return counts;

        int Best(Func<int, double> value) => Enumerable.Range(0, weights.Length).Where(g => weights[g] > 0).MaxBy(value);
    }
}
