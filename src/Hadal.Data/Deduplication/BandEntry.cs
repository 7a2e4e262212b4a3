using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Deduplication;

/// <summary>A document in a band's bucket: documents with the same key are compared.</summary>
internal readonly record struct BandEntry(ulong Key, Standing Standing) : IRecord<BandEntry>
{
    public ulong Leading => Key;

    public int CompareTo(BandEntry other)
    {
        int order = Key.CompareTo(other.Key);
        return order != 0 ? order : Standing.CompareTo(other.Standing);
    }
}
