namespace Hadal.Data.Privacy;

/// <summary>A piece of personal data in a text.</summary>
/// <param name="Start">Its first character.</param>
/// <param name="End">The character after it.</param>
/// <param name="Kind">What it is.</param>
internal readonly record struct PrivateSpan(int Start, int End, PrivateKind Kind) : IComparable<PrivateSpan>
{
    public int CompareTo(PrivateSpan other) => Start != other.Start ? Start.CompareTo(other.Start) : Kind.CompareTo(other.Kind);
}
