using System.Globalization;

namespace Hadal.Numerics;

/// <summary>Lengths of a tensor's dimensions, outermost first; zero to four of them.</summary>
/// <remarks>A value type, so that making a view allocates nothing.</remarks>
public readonly struct Shape : IEquatable<Shape>
{
    private readonly long _d0, _d1, _d2, _d3;

    /// <summary>A one-dimensional shape.</summary>
    /// <param name="d0">Length, not negative.</param>
    public Shape(long d0) => (Rank, _d0) = (1, Checked(d0));

    /// <summary>A two-dimensional shape: rows, columns.</summary>
    /// <param name="d0">Rows, not negative.</param>
    /// <param name="d1">Columns, not negative.</param>
    public Shape(long d0, long d1) => (Rank, _d0, _d1) = (2, Checked(d0), Checked(d1));

    /// <summary>A three-dimensional shape.</summary>
    /// <param name="d0">Outermost length, not negative.</param>
    /// <param name="d1">Middle length, not negative.</param>
    /// <param name="d2">Innermost length, not negative.</param>
    public Shape(long d0, long d1, long d2) => (Rank, _d0, _d1, _d2) = (3, Checked(d0), Checked(d1), Checked(d2));

    /// <summary>A shape of up to four dimensions.</summary>
    /// <param name="dimensions">Lengths, outermost first, none negative.</param>
    /// <exception cref="ArgumentException">More than four dimensions, or a negative one.</exception>
    public Shape(ReadOnlySpan<long> dimensions)
    {
        if (dimensions.Length > 4) throw new ArgumentException($"A tensor has at most four dimensions, not {dimensions.Length}.");
        Rank = dimensions.Length;
        if (Rank > 0) _d0 = Checked(dimensions[0]);
        if (Rank > 1) _d1 = Checked(dimensions[1]);
        if (Rank > 2) _d2 = Checked(dimensions[2]);
        if (Rank > 3) _d3 = Checked(dimensions[3]);
    }

    /// <summary>Number of dimensions, 0 to 4.</summary>
    public int Rank { get; }

    /// <summary>Length of one dimension.</summary>
    /// <param name="dimension">0 is the outermost.</param>
    public long this[int dimension] => (uint)dimension >= (uint)Rank
        ? throw new ArgumentOutOfRangeException(nameof(dimension), dimension, $"The shape {this} has no such dimension.")
        : dimension switch { 0 => _d0, 1 => _d1, 2 => _d2, _ => _d3 };

    /// <summary>Number of elements: the product of all lengths, 1 for rank 0.</summary>
    /// <exception cref="OverflowException">The product does not fit in 63 bits.</exception>
    public long Count
    {
        get
        {
            long n = 1;
            for (int i = 0; i < Rank; i++) n = checked(n * this[i]);
            return n;
        }
    }

    /// <summary>Length of the innermost dimension; 1 for rank 0.</summary>
    public long Columns => Rank == 0 ? 1 : this[Rank - 1];

    /// <summary>Product of all dimensions but the innermost; 1 for rank 0 and 1.</summary>
    public long Rows
    {
        get
        {
            long n = 1;
            for (int i = 0; i < Rank - 1; i++) n = checked(n * this[i]);
            return n;
        }
    }

    /// <summary>The lengths as an array.</summary>
    /// <returns>A new array of <see cref="Rank"/> lengths.</returns>
    public long[] ToArray()
    {
        var dimensions = new long[Rank];
        for (int i = 0; i < Rank; i++) dimensions[i] = this[i];
        return dimensions;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => Rank == other.Rank && _d0 == other._d0 && _d1 == other._d1 && _d2 == other._d2 && _d3 == other._d3;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, _d0, _d1, _d2, _d3);

    /// <summary>Same rank and same lengths.</summary>
    /// <param name="left">One shape.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Different rank or a different length.</summary>
    /// <param name="left">One shape.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>The shape as it is written in messages: <c>[2, 3]</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => "[" + string.Join(", ", ToArray().Select(d => d.ToString(CultureInfo.InvariantCulture))) + "]";

    private static long Checked(long length) =>
        length < 0 ? throw new ArgumentException($"A dimension cannot be negative ({length}).") : length;
}
