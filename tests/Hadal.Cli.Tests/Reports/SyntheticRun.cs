using Hadal.Training.Metrics;

namespace Hadal.Cli.Tests;

/// <summary>Metrics of a run that never happened: falling losses and loads that even out, the same for the same arguments.</summary>
internal static class SyntheticRun
{
    public static List<StepMetrics> Steps(int count, int layers = 3, int modules = 1, int experts = 16, int validateEvery = 10, bool loads = true)
    {
        var random = new Random(count * 31 + layers);
        // A few load tables serve all steps: a long run would hold hundreds of megabytes of them.
        long[][][] tables = loads && layers > 0 ? [.. Enumerable.Range(0, 16).Select(i => Table(random, layers, experts, 1 + i))] : [];
        var steps = new List<StepMetrics>(count);
        for (int step = 1; step <= count; step++)
        {
            double done = (double)step / count;
            double loss = 3 + 6 * Math.Exp(-8 * done) + 0.05 * random.NextDouble();
            steps.Add(new StepMetrics
            {
                Step = step,
                Tokens = step * 4096L,
                Loss = loss * 1.3,
                MainLoss = loss,
                MtpLoss = [.. Enumerable.Range(1, modules).Select(m => loss + 0.4 * m)],
                BalanceLoss = layers * 1.02,
                GradNorm = 0.5 + random.NextDouble(),
                LearningRate = 1e-3 * (1 - done),
                TokensPerSecond = 20_000 + 500 * random.NextDouble(),
                MaxViolation = [.. Enumerable.Range(0, layers).Select(l => 0.2 + 2 * (1 - done) * random.NextDouble())],
                ExpertLoad = tables.Length > 0 ? tables[Math.Min(15, (int)(done * 16))] : null,
                ValidationLoss = validateEvery > 0 && step % validateEvery == 0 ? loss + 0.1 : null,
            });
        }

        return steps;
    }

    private static long[][] Table(Random random, int layers, int experts, int evenness) =>
        [.. Enumerable.Range(0, layers).Select(_ => Enumerable.Range(0, experts).Select(_ => 1000L + random.Next(1000 / evenness)).ToArray())];
}
