using Hadal.Numerics;
using Hadal.Parallel.Experts;
using Hadal.Parallel.Tests.Communication;

namespace Hadal.Parallel.Tests.Experts;

/// <summary>What is sent is what the routing says: a copy of a row for each other node that it has experts on, and there for each other rank (report section 3.2.2), times its size.</summary>
public class CommunicationVolumeTests
{
    private static readonly Carriage[] _toExperts = [Carriage.Dispatch, Carriage.GradientDispatch], _back = [Carriage.Combine, Carriage.GradientCombine];

    [Theory]
    [InlineData("fp8", 7392)]
    [InlineData("bf16", 14336)]
    [InlineData("fp32", 28672)]
    public void A_row_of_V3_takes_the_published_bytes(string payload, int bytes) => Assert.Equal(bytes, RowPayload.Find(payload, 7168)!.Bytes);

    [Theory]
    [InlineData(2, 2, "fp32", "fp32")]
    [InlineData(4, 1, "fp8", "bf16")]
    [InlineData(4, 2, "bf16", "fp32")]
    [InlineData(8, 2, "fp8", "bf16")]
    [InlineData(8, 4, "fp8", "bf16")]
    [InlineData(8, 8, "bf16", "bf16")]
    public void Bytes_of_every_carriage_are_those_of_the_routing(int ranks, int perNode, string payload, string results)
    {
        var placement = new ExpertPlacement(TokenRows.Experts, ranks, perNode);
        var random = new Random(ranks + perNode);
        TokenRows[][] rounds = [.. Enum.GetValues<Routing>().Select(routing => Enumerable.Range(0, ranks).Select(r => TokenRows.Random(random, 5 + r, routing, ranks, areWhole: true)).ToArray())];
        var form = RowPayload.Find(payload, TokenRows.Width)!;
        int resultBytes = TokenRows.Width * (results == "bf16" ? 2 : 4);
        BoundedRanks.Run(ranks, group =>
        {
            using var backend = new CpuBackend(1);
            using var exchange = new CpuBackend(1);
            using var experts = group.Split(0, group.Rank);
            using var dispatch = new ExpertDispatch(experts, placement, exchange, form, results == "bf16", TokenRows.Width, TokenRows.Chosen);
            using var trial = new ExchangeTrial(dispatch, backend, _ => 1);
            foreach (var rows in rounds) trial.Run(rows[group.Rank]);

            foreach (var (hop, size, toExperts, back) in new[]
            {
                (dispatch.BetweenNodes, placement.Nodes, rounds.Sum(r => CopiesToNodes(placement, r, group.Rank)), rounds.Sum(r => CopiesFromNodes(placement, r, group.Rank))),
                (dispatch.InsideNode, placement.RanksPerNode, rounds.Sum(r => CopiesToRanks(placement, r, group.Rank)), rounds.Sum(r => CopiesFromRanks(placement, r, group.Rank))),
            })
            {
                foreach (var carriage in _toExperts) Assert.Equal((toExperts, toExperts * form.Bytes), (hop.Volume(carriage).Copies, hop.Volume(carriage).RowBytes));
                foreach (var carriage in _back) Assert.Equal((back, back * resultBytes), (hop.Volume(carriage).Copies, hop.Volume(carriage).RowBytes));

                // Beside the rows: a count for each other rank; with every row its choices and gate weights; with every result of a backward the gradients for these.
                Assert.Equal(rounds.Length * 4L * (size - 1) + toExperts * 8 * TokenRows.Chosen, hop.Volume(Carriage.Dispatch).BesideBytes);
                Assert.Equal(0, hop.Volume(Carriage.Combine).BesideBytes + hop.Volume(Carriage.GradientDispatch).BesideBytes);
                Assert.Equal(back * 4 * TokenRows.Chosen, hop.Volume(Carriage.GradientCombine).BesideBytes);

                // And nothing else: the engine counts the same.
                Assert.Equal(hop.Counters.BytesSent, Enum.GetValues<Carriage>().Sum(c => hop.Volume(c).RowBytes + hop.Volume(c).BesideBytes));
            }
        });
    }

    [Fact]
    public void A_row_goes_to_a_node_once_however_many_of_its_experts_are_there()
    {
        // Two nodes of two ranks, eight experts a rank. The token at rank 0 has two experts on rank 2 and two on rank 3: one copy to the node (its rank 2), one from there to rank 3.
        var placement = new ExpertPlacement(TokenRows.Experts, 4, 2);
        var none = new TokenRows(0, [], [], [], []);
        var one = new TokenRows(1, [], [], [16, 17, 24, 31], []);
        TokenRows[] rows = [one, none, none, none];
        Assert.Equal([1, 0, 0, 0], Enumerable.Range(0, 4).Select(r => CopiesToNodes(placement, rows, r)));
        Assert.Equal([0, 0, 1, 0], Enumerable.Range(0, 4).Select(r => CopiesToRanks(placement, rows, r)));
        Assert.Equal([0, 0, 1, 0], Enumerable.Range(0, 4).Select(r => CopiesFromNodes(placement, rows, r)));
        Assert.Equal([0, 0, 0, 1], Enumerable.Range(0, 4).Select(r => CopiesFromRanks(placement, rows, r)));
    }

    // Nodes other than its own that each of a rank's rows goes to.
    private static long CopiesToNodes(ExpertPlacement placement, TokenRows[] rows, int rank) => Each(rows[rank]).Sum(c => c.Select(placement.NodeOf).Distinct().Count(n => n != rank / placement.RanksPerNode));

    // Results go back the way the rows came: to ranks with the same place on other nodes.
    private static long CopiesFromNodes(ExpertPlacement placement, TokenRows[] rows, int rank) =>
        SamePlace(placement, rank).Where(r => r != rank).Sum(r => Each(rows[r]).Count(c => c.Select(placement.NodeOf).Contains(rank / placement.RanksPerNode)));

    // Ranks of its node other than itself that each row goes to which came to this rank first, or began here.
    private static long CopiesToRanks(ExpertPlacement placement, TokenRows[] rows, int rank) =>
        SamePlace(placement, rank).Sum(r => Each(rows[r]).Sum(c => c.Where(e => placement.NodeOf(e) == rank / placement.RanksPerNode).Select(placement.RankOf).Distinct().Count(to => to != rank)));

    private static long CopiesFromRanks(ExpertPlacement placement, TokenRows[] rows, int rank)
    {
        int first = rank / placement.RanksPerNode * placement.RanksPerNode;
        return Enumerable.Range(first, placement.RanksPerNode).Where(r => r != rank).Sum(r => SamePlace(placement, r).Sum(from => Each(rows[from]).Count(c => c.Select(placement.RankOf).Contains(rank))));
    }

    private static IEnumerable<int> SamePlace(ExpertPlacement placement, int rank) => Enumerable.Range(0, placement.Nodes).Select(n => n * placement.RanksPerNode + rank % placement.RanksPerNode);

    private static IEnumerable<int[]> Each(TokenRows rows) => rows.Choices.Chunk(TokenRows.Chosen);
}
