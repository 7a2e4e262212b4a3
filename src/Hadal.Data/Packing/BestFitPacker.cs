namespace Hadal.Data.Packing;

/// <summary>Best-fit decreasing: the longest piece first, each into the fullest row that still has room for it.</summary>
/// <remarks>
/// Ding et al., "Fewer Truncations Improve Language Modeling" (2024). Rows with the same room hang on one list, and a set of the rooms that occur finds the smallest
/// that is large enough; so a piece costs a few words of memory, whatever the number of rows. Among rows with the same room the one that was filled last is taken.
/// The result depends on the lengths and their order alone.
/// </remarks>
public static class BestFitPacker
{
    /// <summary>Packs pieces into rows without cutting any.</summary>
    /// <param name="lengths">Tokens of each piece, each 1 to <paramref name="capacity"/>. Pieces of equal length are taken in this order.</param>
    /// <param name="capacity">L, tokens that fit into a row (≥ 1).</param>
    /// <returns>Rows in the order in which they were begun: those with the longest pieces first. Memory: 8 bytes a piece and 4 a row; 12 and 8 while packing.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A length is not in 1 to <paramref name="capacity"/>.</exception>
    public static PackedRows Pack(ReadOnlySpan<int> lengths, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, Array.MaxLength - 2);
        int[] order = ByLength(lengths, capacity, out long tokens);
        int[] rowOf = new int[lengths.Length];
        int rows = Place(lengths, order, capacity, rowOf);

        // Pieces sorted by row; those of a row keep the order in which they were placed.
        int[] starts = new int[rows + 1];
        foreach (int row in rowOf) starts[row + 1]++;
        for (int row = 0; row < rows; row++) starts[row + 1] += starts[row];
        int[] next = starts.AsSpan(0, rows).ToArray();
        int[] pieces = new int[lengths.Length];
        for (int i = 0; i < order.Length; i++) pieces[next[rowOf[i]]++] = order[i];
        return new PackedRows(pieces, starts, capacity, tokens);
    }

    // Piece numbers, longest first; a counting sort, so that equal ones keep their order.
    private static int[] ByLength(ReadOnlySpan<int> lengths, int capacity, out long tokens)
    {
        int[] place = new int[capacity + 2];
        tokens = 0;
        for (int i = 0; i < lengths.Length; i++)
        {
            int length = lengths[i];
            if (length < 1 || length > capacity)
                throw new ArgumentOutOfRangeException(nameof(lengths), $"Piece {i} has {length} tokens, but has to have 1 to {capacity}; cut longer documents first.");
            place[capacity - length + 1]++;
            tokens += length;
        }

        for (int k = 0; k < capacity; k++) place[k + 1] += place[k];
        int[] order = new int[lengths.Length];
        for (int i = 0; i < lengths.Length; i++) order[place[capacity - lengths[i]]++] = i;
        return order;
    }

    // The row of each piece, in the order of placing.
    private static int Place(ReadOnlySpan<int> lengths, ReadOnlySpan<int> order, int capacity, Span<int> rowOf)
    {
        var rooms = new SpaceSet(capacity + 1);
        int[] newest = new int[capacity + 1];
        newest.AsSpan().Fill(-1);
        int[] older = [];
        int rows = 0;
        for (int i = 0; i < order.Length; i++)
        {
            int length = lengths[order[i]], row, room = rooms.Next(length);
            if (room < 0)
            {
                (row, room) = (rows++, capacity);
                if (row == older.Length) Array.Resize(ref older, (int)Math.Clamp(2L * older.Length, 1024, lengths.Length + 1024L));
            }
            else
            {
                row = newest[room];
                if ((newest[room] = older[row]) < 0) rooms.Remove(room);
            }

            rowOf[i] = row;
            room -= length;
            if (room == 0) continue;
            if (newest[room] < 0) rooms.Add(room);
            older[row] = newest[room];
            newest[room] = row;
        }

        return rows;
    }
}
