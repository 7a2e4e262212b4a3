using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Deduplication;

/// <summary>Two documents that are nearly the same, the one that would go first: sorted, all that a document may be a copy of stands together.</summary>
internal readonly record struct CopyPair(Standing Copy, Standing Kept) : IRecord<CopyPair>
{
    public ulong Leading => Copy.Shortness;

    public int CompareTo(CopyPair other)
    {
        int order = Copy.CompareTo(other.Copy);
        return order != 0 ? order : Kept.CompareTo(other.Kept);
    }
}
