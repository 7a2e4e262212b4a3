namespace Hadal.Data.Shards;

/// <summary>What training takes from a group of rows.</summary>
/// <param name="Group">Name of the group.</param>
/// <param name="Rows">Rows of it that are not kept for validation (≥ 1).</param>
/// <param name="Share">Its share of the rows that training sees, in [0, 1].</param>
public readonly record struct GroupShare(string Group, long Rows, double Share)
{
    /// <summary>How often each row of the group is seen.</summary>
    /// <param name="sequences">Sequences of the run (≥ 0).</param>
    public double Epochs(long sequences) => sequences * Share / Rows;
}
