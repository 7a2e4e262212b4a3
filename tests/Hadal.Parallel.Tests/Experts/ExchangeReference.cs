using Hadal.Numerics;
using Hadal.Numerics.Formats;
using Hadal.Parallel.Experts;

namespace Hadal.Parallel.Tests.Experts;

/// <summary>What an exchange over ranks has to give, written down from its contract: which form numbers take on the way, and in which order results are summed.</summary>
/// <param name="placement">Where the experts are.</param>
/// <param name="coding">How rows travel; null as they are.</param>
/// <param name="areShort">Whether results travel as bfloat16.</param>
/// <param name="factor">a(e) of the stand-ins.</param>
internal sealed class ExchangeReference(ExpertPlacement placement, OperandCoding? coding, bool areShort, Func<int, float> factor)
{
    /// <summary>Hops that results take: none where a node has one rank, or all are on one node.</summary>
    public int Hops => (placement.RanksPerNode > 1 ? 1 : 0) + (placement.Nodes > 1 ? 1 : 0);

    /// <summary>Rows as they arrive.</summary>
    public float[] Rounded(IBackend backend, float[] values)
    {
        if (coding is not { } form || values.Length == 0) return values;
        using var arena = new Arena(backend, 1 << 18);
        var x = arena.Matrix(values.Length / TokenRows.Width, TokenRows.Width);
        var (type, codeShape, scaleShape) = form.Kept(x.Rows, x.Columns);
        Tensor codes = arena.Allocate(type, codeShape), scales = arena.Allocate(DType.F32, scaleShape);
        backend.Write(values, x);
        backend.Encode(x, form, codes, scales);
        backend.Decode(codes, scales, form, x);
        var rounded = new float[values.Length];
        backend.Read(x, rounded);
        return rounded;
    }

    /// <summary>Σ of a row's results: over the experts of a rank, the ranks of a node, the nodes; each ascending.</summary>
    /// <param name="rows">Of one rank.</param>
    /// <param name="rounded">What travelled of them, as it arrives.</param>
    public float[] Combined(TokenRows rows, float[] rounded)
    {
        var sums = new float[rows.Count * TokenRows.Width];
        for (int i = 0; i < sums.Length; i++)
        {
            int t = i / TokenRows.Width;
            var chosen = Enumerable.Range(t * TokenRows.Chosen, TokenRows.Chosen).OrderBy(k => rows.Choices[k]).ToArray();
            foreach (var node in chosen.GroupBy(k => placement.NodeOf(rows.Choices[k])))
            {
                float atNode = 0;
                foreach (var rank in node.GroupBy(k => placement.RankOf(rows.Choices[k])))
                {
                    float atRank = 0;
                    foreach (int k in rank) atRank += rows.Gates[k] * (factor(rows.Choices[k]) * rounded[i]);
                    atNode += placement.RanksPerNode > 1 ? OnTheWay(atRank) : atRank;
                }

                sums[i] += placement.Nodes > 1 ? OnTheWay(atNode) : atNode;
            }
        }

        return sums;
    }

    /// <summary>Gradients for the gate weights: each comes from one place, in FP32.</summary>
    public float[] Gates(TokenRows rows, float[] x, float[] dy) => [.. Enumerable.Range(0, rows.Choices.Length).Select(k =>
    {
        var row = (k / TokenRows.Chosen * TokenRows.Width)..((k / TokenRows.Chosen + 1) * TokenRows.Width);
        return ExchangeTrial.Product(dy.AsSpan(row), x.AsSpan(row), factor(rows.Choices[k]));
    })];

    /// <summary>The rows of an expert in the order in which they arrive: from the ranks of the node in order, and of each what came to it from the nodes in order.</summary>
    public float[] Arrived(int expert, TokenRows[] rows, float[][] rounded)
    {
        var arrived = new List<float>();
        for (int place = 0; place < placement.RanksPerNode; place++)
        {
            for (int node = 0; node < placement.Nodes; node++)
            {
                int rank = node * placement.RanksPerNode + place;
                for (int t = 0; t < rows[rank].Count; t++)
                {
                    if (rows[rank].Choices.AsSpan(t * TokenRows.Chosen, TokenRows.Chosen).Contains(expert)) arrived.AddRange(rounded[rank][(t * TokenRows.Width)..((t + 1) * TokenRows.Width)]);
                }
            }
        }

        return [.. arrived];
    }

    private float OnTheWay(float value) => areShort ? BFloat16.ToSingle(BFloat16.FromSingle(value)) : value;
}
