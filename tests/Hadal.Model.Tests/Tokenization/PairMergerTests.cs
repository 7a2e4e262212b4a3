using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

public class PairMergerTests
{
    [Fact]
    public void Scan_and_heap_give_what_the_definition_gives()
    {
        // Few tokens and many merges, so that runs, overlaps and out-of-date candidates are frequent.
        Gen<int[]> tokens = Gen.Int[0, 3].Array[0, 90];
        Gen<(int, int)[]> pairs = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9]).Array[0, 25];
        Gen.Select(pairs, tokens).Sample(static (pairs, tokens) =>
        {
            (int Left, int Right)[] distinct = [.. pairs.Distinct()];
            MergeTable table = new(distinct.Length);
            for (int rank = 0; rank < distinct.Length; rank++) table.Add(distinct[rank].Left, distinct[rank].Right, rank, 4 + rank % 6);
            int[] expected = ByDefinition(distinct, tokens);
            PairMerger merger = new(table);
            int[] scanned = [.. tokens], heaped = [.. tokens];
            Assert.Equal(expected, scanned[..merger.MergeByScan(scanned)]);
            Assert.Equal(expected, heaped[..merger.MergeByHeap(heaped)]);
        }, iter: 5_000);
    }

    [Fact]
    public void Of_two_merges_for_one_pair_the_later_holds()
    {
        MergeTable table = new(2);
        table.Add(1, 2, 0, 3);
        table.Add(1, 2, 1, 4);
        Assert.Equal(1, table.RankOf(1, 2, out int joined));
        Assert.Equal(4, joined);
        Assert.Equal(MergeTable.NoRank, table.RankOf(2, 1));
    }

    private static int[] ByDefinition((int Left, int Right)[] merges, int[] tokens)
    {
        List<int> list = [.. tokens];
        while (true)
        {
            int best = -1, bestRank = int.MaxValue;
            for (int i = 0; i + 1 < list.Count; i++)
            {
                int rank = Array.IndexOf(merges, (list[i], list[i + 1]));
                if (rank >= 0 && rank < bestRank) (best, bestRank) = (i, rank);
            }

            if (best < 0) return [.. list];
            list[best] = 4 + bestRank % 6;
            list.RemoveAt(best + 1);
        }
    }
}
