namespace Hadal.Parallel.Tests.Experts;

/// <summary>Rows of one rank with their experts and gate weights, and the gradients that come for their results.</summary>
/// <param name="Count">T.</param>
/// <param name="X">[T, D].</param>
/// <param name="DY">[T, D].</param>
/// <param name="Choices">[T, C]: experts, no two of a row alike, in no order.</param>
/// <param name="Gates">[T, C].</param>
internal sealed record TokenRows(int Count, float[] X, float[] DY, int[] Choices, float[] Gates)
{
    public const int Width = 160, Experts = 32, Chosen = 4;

    /// <summary>Rows at random.</summary>
    /// <param name="random">Where from.</param>
    /// <param name="count">T.</param>
    /// <param name="routing">Which experts they choose.</param>
    /// <param name="ranks">Ranks that share the experts.</param>
    /// <param name="areWhole">Small whole numbers, which FP8 and bfloat16 hold exactly and whose sums here do too; otherwise numbers of many sizes.</param>
    public static TokenRows Random(Random random, int count, Routing routing, int ranks, bool areWhole)
    {
        var (x, dy) = (new float[count * Width], new float[count * Width]);
        var (choices, gates) = (new int[count * Chosen], new float[count * Chosen]);
        foreach (var values in new[] { x, dy })
        {
            for (int i = 0; i < values.Length; i++) values[i] = areWhole ? random.Next(-4, 5) : (float)((random.NextDouble() - 0.5) * Math.Exp(3 * random.NextDouble()));
        }

        for (int i = 0; i < gates.Length; i++) gates[i] = areWhole ? random.Next(1, 3) : random.NextSingle();
        for (int t = 0; t < count; t++) Choose(random, routing, ranks, choices.AsSpan(t * Chosen, Chosen));
        return new TokenRows(count, x, dy, choices, gates);
    }

    private static void Choose(Random random, Routing routing, int ranks, Span<int> choices)
    {
        int rank = routing == Routing.FirstRank ? 0 : random.Next(ranks);
        for (int i = 0; i < choices.Length; i++)
        {
            do choices[i] = routing == Routing.Anywhere ? random.Next(Experts) : rank * (Experts / ranks) + random.Next(Experts / ranks);
            while (choices[..i].Contains(choices[i]));
        }
    }
}
