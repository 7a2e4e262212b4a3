using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Deduplication;

/// <summary>A document that goes, and the one that stays for it.</summary>
internal readonly record struct Removal(DocumentReference Document, DocumentReference Kept, ulong RuleNumber) : IRecord<Removal>
{
    public ulong Leading => Document.Value;

    public CopyRule Rule => (CopyRule)RuleNumber;

    public int CompareTo(Removal other) => Document.CompareTo(other.Document);
}
