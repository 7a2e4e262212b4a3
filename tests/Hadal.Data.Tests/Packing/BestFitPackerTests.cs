using CsCheck;
using Hadal.Data.Packing;

namespace Hadal.Data.Tests.Packing;

public class BestFitPackerTests
{
    private static readonly Gen<(int Capacity, int[] Lengths)> _cases =
        from capacity in Gen.OneOf(Gen.Int[1, 40], Gen.Int[41, 9000])
        from lengths in Gen.OneOf(Gen.Int[1, capacity], Gen.Int[1, Math.Max(1, capacity / 5)]).Array[0, 120]
        select (capacity, lengths);

    [Fact]
    public void Every_row_is_what_a_search_through_all_rows_gives() => _cases.Sample(c =>
    {
        var rows = BestFitPacker.Pack(c.Lengths, c.Capacity);
        Assert.Equal(Naive(c.Lengths, c.Capacity), Enumerable.Range(0, rows.Count).Select(r => rows[r].ToArray()));
    });

    [Fact]
    public void Every_piece_lies_whole_in_exactly_one_row_and_no_row_is_too_full() => _cases.Sample(c =>
    {
        var rows = BestFitPacker.Pack(c.Lengths, c.Capacity);
        int[][] found = [.. Enumerable.Range(0, rows.Count).Select(r => rows[r].ToArray())];
        Assert.Equal(Enumerable.Range(0, c.Lengths.Length), found.SelectMany(r => r).Order());
        Assert.All(found, r => Assert.InRange(r.Sum(p => c.Lengths[p]), 1, c.Capacity));
        Assert.Equal((long)rows.Count * c.Capacity - c.Lengths.Sum(l => (long)l), rows.EmptyPlaces);
        Assert.InRange(rows.Fill, 0, 1);
    });

    [Fact]
    public void Many_short_pieces_fill_the_rows_to_the_last_place()
    {
        int[] lengths = [.. Enumerable.Range(0, 20_000).Select(i => 1 + (int)((uint)(i * 2654435761) >> 20) % 900), .. Enumerable.Repeat(1, 10_000)];
        var rows = BestFitPacker.Pack(lengths, 4096);
        Assert.Equal((lengths.Sum() + 4095) / 4096, rows.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(9)]
    public void A_piece_that_fits_no_row_is_refused(int length) =>
        Assert.Contains("Piece 1", Assert.Throws<ArgumentOutOfRangeException>(() => BestFitPacker.Pack([3, length], 8)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_document_is_cut_only_where_it_is_longer_than_a_row()
    {
        Assert.Equal([new DocumentPiece(0, 8)], DocumentPieces.Cut(8, 8));
        Assert.Equal([new DocumentPiece(0, 8), new DocumentPiece(8, 8), new DocumentPiece(16, 1)], DocumentPieces.Cut(17, 8));
        Assert.Empty(DocumentPieces.Cut(0, 8));
    }

    // Longest first, equal ones by number; least room that suffices, then the row touched last.
    private static List<int[]> Naive(int[] lengths, int capacity)
    {
        var rows = new List<(List<int> Pieces, int Room, int Touched)>();
        int clock = 0;
        foreach (int piece in Enumerable.Range(0, lengths.Length).OrderByDescending(i => lengths[i]).ThenBy(i => i))
        {
            int best = -1;
            for (int r = 0; r < rows.Count; r++)
            {
                if (rows[r].Room < lengths[piece]) continue;
                if (best < 0 || rows[r].Room < rows[best].Room || (rows[r].Room == rows[best].Room && rows[r].Touched > rows[best].Touched)) best = r;
            }

            if (best < 0)
            {
                best = rows.Count;
                rows.Add(([], capacity, 0));
            }

            rows[best].Pieces.Add(piece);
            rows[best] = (rows[best].Pieces, rows[best].Room - lengths[piece], ++clock);
        }

        return [.. rows.Select(r => r.Pieces.ToArray())];
    }
}
