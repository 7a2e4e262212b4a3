using Hadal.Data.Corpora;

namespace Hadal.Data.Shards;

/// <summary>Which rows are trained on and which are kept for validation, as arithmetic: nothing is stored.</summary>
/// <remarks>
/// A dataset with a group <see cref="ShardGroup.ValidationName"/> has its validation there. Otherwise each group is shuffled once by the seed, and the last places of it,
/// the wanted share of the group, are kept.
/// </remarks>
internal sealed class RowSplit
{
    private readonly Part[] _training, _validation;

    public RowSplit(TokenShards shards, double validationShare, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(validationShare);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(validationShare, 0.5);
        var training = new List<Part>();
        var validation = new List<Part>();
        bool hasOwn = shards.Groups.Any(g => g.Name == ShardGroup.ValidationName);
        for (int g = 0; g < shards.Groups.Count; g++)
        {
            var group = shards.Groups[g];
            var order = new WindowOrder(group.Rows, SplitHash.Mix(seed ^ (0x5EED + (ulong)g)));
            bool isOwn = group.Name == ShardGroup.ValidationName;
            long kept = isOwn ? validationShare > 0 ? group.Rows : 0 : hasOwn ? 0 : (long)Math.Round(group.Rows * validationShare);
            long first = shards.FirstRow(g);
            if (!isOwn && kept < group.Rows) training.Add(new Part(group.Name, first, 0, group.Rows - kept, order));
            if (kept > 0) validation.Add(new Part(group.Name, first, group.Rows - kept, kept, order));
        }

        (_training, _validation) = ([.. training], [.. validation]);
        (TrainingRows, ValidationRows) = (_training.Sum(p => p.Count), _validation.Sum(p => p.Count));
    }

    public long TrainingRows { get; }

    public long ValidationRows { get; }

    public IReadOnlyList<string> TrainingGroups => Array.ConvertAll(_training, p => p.Group);

    /// <summary>Rows to train on in one of the groups.</summary>
    public long CountIn(int part) => _training[part].Count;

    /// <summary>Row <paramref name="index"/> in [0, CountIn) of a group to train on.</summary>
    public long TrainingRow(int part, long index) => _training[part].Row(index);

    /// <summary>Row <paramref name="index"/> in [0, TrainingRows), group after group.</summary>
    public long TrainingRow(long index) => Find(_training, index);

    /// <summary>Row <paramref name="index"/> in [0, ValidationRows), group after group.</summary>
    public long ValidationRow(long index) => Find(_validation, index);

    private static long Find(Part[] parts, long index)
    {
        foreach (var part in parts)
        {
            if (index < part.Count) return part.Row(index);
            index -= part.Count;
        }

        throw new ArgumentOutOfRangeException(nameof(index));
    }

    private readonly record struct Part(string Group, long First, long Skipped, long Count, WindowOrder Order)
    {
        public long Row(long index) => First + Order[0, Skipped + index];
    }
}
