namespace Hadal.Data.Packing;

/// <summary>Which pieces lie in which row.</summary>
public sealed class PackedRows
{
    private readonly int[] _pieces;
    private readonly int[] _starts;

    internal PackedRows(int[] pieces, int[] starts, int capacity, long tokens) => (_pieces, _starts, Capacity, Tokens) = (pieces, starts, capacity, tokens);

    /// <summary>Number of rows.</summary>
    public int Count => _starts.Length - 1;

    /// <summary>L: tokens that fit into a row.</summary>
    public int Capacity { get; }

    /// <summary>Tokens of all pieces together.</summary>
    public long Tokens { get; }

    /// <summary>Share of the rows' places that hold a token, in [0, 1]; 1 where there is no row.</summary>
    public double Fill => Count == 0 ? 1 : Tokens / ((double)Count * Capacity);

    /// <summary>Places of all rows that stay empty.</summary>
    public long EmptyPlaces => (long)Count * Capacity - Tokens;

    /// <summary>The pieces of a row, as numbers into the lengths that were packed, in the order in which they lie there.</summary>
    /// <param name="row">In [0, Count).</param>
    public ReadOnlySpan<int> this[int row]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Count, nameof(row));
            return _pieces.AsSpan(_starts[row], _starts[row + 1] - _starts[row]);
        }
    }
}
