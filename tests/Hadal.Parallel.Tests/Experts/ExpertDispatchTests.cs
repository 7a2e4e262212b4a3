using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Parallel.Experts;
using Hadal.Parallel.Tests.Communication;
using Hadal.Training.Experts;

namespace Hadal.Parallel.Tests.Experts;

/// <summary>Rows that go to experts on other ranks and back are as if all experts were here, but for what is rounded on the way and the order of sums.</summary>
public class ExpertDispatchTests
{
    private static readonly Routing[] _routings = [Routing.Anywhere, Routing.OneRankEach, Routing.FirstRank, Routing.Anywhere];

    public static TheoryData<int, int, string, string> Cases
    {
        get
        {
            var data = new TheoryData<int, int, string, string>();
            foreach (var (ranks, perNode) in new[] { (2, 1), (2, 2), (4, 1), (4, 2), (4, 4), (8, 1), (8, 2), (8, 4), (8, 8) })
            {
                foreach (string payload in new[] { "fp32", "bf16", "fp8" })
                {
                    foreach (string results in new[] { "fp32", "bf16" }) data.Add(ranks, perNode, payload, results);
                }
            }

            return data;
        }
    }

    // Whole numbers that every form holds: each bit has to be that of the exchange that moves nothing.
    [Theory]
    [MemberData(nameof(Cases))]
    public void Whole_numbers_come_back_as_if_all_experts_were_here(int ranks, int perNode, string payload, string results) =>
        Try(ranks, perNode, payload, results, areWhole: true, e => (e % 4) switch { 0 => 1, 1 => -1, 2 => 2, _ => -2 }, (trial, local, _, _, _, _) =>
        {
            Assert.Equal(local.Y, trial.Y);
            Assert.Equal(local.Added, trial.Added);
            Assert.Equal(local.DGates, trial.DGates);
            Assert.Equal(local.DX, trial.DX);
        });

    // Any numbers: bits of the contract's own order and roundings, and near those of one rank.
    [Theory]
    [MemberData(nameof(Cases))]
    public void Numbers_are_rounded_and_summed_as_promised(int ranks, int perNode, string payload, string results)
    {
        var coding = CodingOf(payload);
        Try(ranks, perNode, payload, results, areWhole: false, Factor, (trial, local, rows, x, dy, reference) =>
        {
            float[] y = reference.Combined(rows, x), dx = reference.Combined(rows, dy);
            Assert.Equal(y, trial.Y);
            Assert.Equal(y.Select((v, i) => ExchangeTrial.Before(i) + v), trial.Added);
            Assert.Equal(reference.Gates(rows, x, dy), trial.DGates);
            Assert.Equal(dx.Select((v, i) => ExchangeTrial.Before(i) + v), trial.DX);
            for (int i = 0; i < y.Length; i++)
            {
                Assert.True(Math.Abs(trial.Y[i] - local.Y[i]) <= Bound(rows, rows.X, i, payload, results, reference.Hops), $"Result {i} is {trial.Y[i]} instead of {local.Y[i]}.");
                Assert.True(Math.Abs(trial.DX[i] - local.DX[i]) <= Bound(rows, rows.DY, i, payload, results, reference.Hops) + 1e-6, $"Gradient {i} is {trial.DX[i]} instead of {local.DX[i]}.");
            }
        });
        Assert.Equal(payload == "fp32", coding is null);
    }

    // a(e): no two alike, none a power of two.
    private static float Factor(int expert) => (expert % 2 == 0 ? 1 : -1) * (0.3f + expert / 37f);

    /// <summary>How far result i may be from that of one rank, from the formats alone.</summary>
    /// <remarks>
    /// bfloat16 has 8 significant bits: a value is wrong by at most 2⁻⁸ of itself, on every hop that results take. E4M3 has 4: 2⁻⁴ of itself, or half of its smallest step 2⁻⁹ where it is tiny, times
    /// a scale of at most twice the tile's largest value over 448. FP32: four sums of a few terms.
    /// </remarks>
    private static double Bound(TokenRows rows, float[] travelled, int i, string payload, string results, int hops)
    {
        int t = i / TokenRows.Width, tile = i % TokenRows.Width / 128 * 128, row = t * TokenRows.Width;
        double largest = travelled[(row + tile)..(row + Math.Min(tile + 128, TokenRows.Width))].Max(Math.Abs), value = Math.Abs(travelled[i]);
        double wrong = payload switch { "fp32" => 0, "bf16" => value / 256, _ => Math.Max(value / 16, largest / 448 * 2 / 1024) };
        double weight = Enumerable.Range(t * TokenRows.Chosen, TokenRows.Chosen).Sum(k => Math.Abs((double)rows.Gates[k] * Factor(rows.Choices[k])));
        double onTheWay = results == "bf16" ? Math.Pow(1 + 1 / 256.0, hops) - 1 : 0;
        return weight * (wrong + (value + wrong) * (onTheWay + 1e-6));
    }

    private static OperandCoding? CodingOf(string payload) => payload switch
    {
        "fp32" => null,
        "bf16" => OperandCoding.BFloat16,
        _ => OperandCoding.Activations with { PowerOfTwoScales = true },
    };

    private delegate void Check(ExchangeTrial.Result trial, ExchangeTrial.Result local, TokenRows rows, float[] x, float[] dy, ExchangeReference reference);

    private static void Try(int ranks, int perNode, string payload, string results, bool areWhole, Func<int, float> factor, Check check)
    {
        var placement = new ExpertPlacement(TokenRows.Experts, ranks, perNode);
        var reference = new ExchangeReference(placement, CodingOf(payload), results == "bf16", factor);
        var random = new Random(ranks * 100 + perNode);

        // Rounds follow each other in the same memory, which grows and is then larger than needed.
        TokenRows[][] rounds = [.. _routings.Select((routing, n) => Enumerable.Range(0, ranks).Select(r => TokenRows.Random(random, 3 + (5 * r + 7 * n) % 11, routing, ranks, areWhole)).ToArray())];
        using var rounding = new CpuBackend(1);
        float[][][] x = [.. rounds.Select(rows => rows.Select(r => reference.Rounded(rounding, r.X)).ToArray())], dy = [.. rounds.Select(rows => rows.Select(r => reference.Rounded(rounding, r.DY)).ToArray())];
        BoundedRanks.Run(ranks, group =>
        {
            using var backend = new CpuBackend(1);
            using var exchange = new CpuBackend(1);
            using var experts = group.Split(0, group.Rank);
            using var dispatch = new ExpertDispatch(experts, placement, exchange, RowPayload.Find(payload, TokenRows.Width)!, results == "bf16", TokenRows.Width, TokenRows.Chosen);
            using var trial = new ExchangeTrial(dispatch, backend, factor);
            using var local = new ExchangeTrial(new LocalExchange(Config), backend, factor);
            for (int n = 0; n < rounds.Length; n++)
            {
                var rows = rounds[n][group.Rank];
                var result = trial.Run(rows);
                check(result, local.Run(rows), rows, x[n][group.Rank], dy[n][group.Rank], reference);
                CheckRows(group.Rank, placement, reference, rounds[n], x[n], dy[n], result);
            }
        });
    }

    // Every expert of a rank has exactly the rows that chose it, and the weight gradients see the same ones.
    private static void CheckRows(int rank, ExpertPlacement placement, ExchangeReference reference, TokenRows[] rows, float[][] x, float[][] dy, ExchangeTrial.Result result)
    {
        for (int e = rank * placement.PerRank; e < (rank + 1) * placement.PerRank; e++)
        {
            float[] expected = reference.Arrived(e, rows, x);
            Assert.Equal(expected, result.Rows.GetValueOrDefault(e, []));
            Assert.Equal(expected, result.RowsAgain.GetValueOrDefault(e, []));
            Assert.Equal(reference.Arrived(e, rows, dy), result.Gradients.GetValueOrDefault(e, []));
        }

        Assert.All(result.Rows.Keys, e => Assert.Equal(rank, placement.RankOf(e)));
    }

    private static ModelConfig Config { get; } = new() { RoutedExperts = TokenRows.Experts, ExpertsPerToken = TokenRows.Chosen };
}
