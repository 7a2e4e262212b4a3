using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Deduplication;

/// <summary>The order in which near copies are kept: what comes first stays.</summary>
/// <param name="Shortness">The complement of the length where the longest stays, else 0.</param>
/// <param name="Document">Settles what is left.</param>
internal readonly record struct Standing(ulong Shortness, DocumentReference Document) : IComparable<Standing>
{
    public static Standing Of(KeepRule rule, long bytes, DocumentReference document) => new(rule == KeepRule.Longest ? ulong.MaxValue - (ulong)bytes : 0, document);

    public int CompareTo(Standing other)
    {
        int order = Shortness.CompareTo(other.Shortness);
        return order != 0 ? order : Document.CompareTo(other.Document);
    }
}
