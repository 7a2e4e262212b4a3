using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Deduplication;

/// <summary>What makes a document equal to another: a hash of its normal form, and of the text as it was read.</summary>
internal readonly record struct ExactKey(ulong High, ulong Low, ulong Original, DocumentReference Document) : IRecord<ExactKey>
{
    public ulong Leading => High;

    public bool IsSameText(ExactKey other) => High == other.High && Low == other.Low;

    public int CompareTo(ExactKey other)
    {
        int order = High.CompareTo(other.High);
        if (order == 0) order = Low.CompareTo(other.Low);
        if (order == 0) order = Document.CompareTo(other.Document);
        return order;
    }
}
