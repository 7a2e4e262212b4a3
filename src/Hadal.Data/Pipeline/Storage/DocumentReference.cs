namespace Hadal.Data.Pipeline.Storage;

/// <summary>A document's place in the input: its part and its number within the part. Ascending order is input order.</summary>
/// <param name="Value">Part in the upper half, number in the lower.</param>
internal readonly record struct DocumentReference(ulong Value) : IComparable<DocumentReference>
{
    public DocumentReference(int part, int number)
        : this(((ulong)(uint)part << 32) | (uint)number)
    {
    }

    public int Part => (int)(Value >> 32);

    public int Number => (int)(uint)Value;

    public int CompareTo(DocumentReference other) => Value.CompareTo(other.Value);
}
