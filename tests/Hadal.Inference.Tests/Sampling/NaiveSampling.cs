using Hadal.Inference.Sampling;

namespace Hadal.Inference.Tests.Sampling;

/// <summary>The steps of <see cref="SamplingOptions"/>, one after the other on sorted lists.</summary>
internal static class NaiveSampling
{
    public static double[] Distribution(SamplingOptions o, float[] logits, int allowed, int[] excluded, int[] tokens, int prompt)
    {
        float[] work = [.. logits.Take(allowed)];
        foreach (int id in excluded) work[id] = float.NegativeInfinity;
        foreach (int id in tokens.Distinct().Where(id => id < allowed))
            work[id] = (float)(work[id] > 0 ? work[id] / o.RepetitionPenalty : work[id] * o.RepetitionPenalty);
        foreach (var group in tokens.Skip(prompt).Where(id => id < allowed).GroupBy(id => id))
            work[group.Key] = (float)(work[group.Key] - group.Count() * o.FrequencyPenalty - o.PresencePenalty);

        int[] order = [.. Enumerable.Range(0, allowed).Where(id => !excluded.Contains(id)).OrderByDescending(id => work[id]).ThenBy(id => id)];
        if (o.TopK > 0) order = [.. order.Take(o.TopK)];
        var p = Normalised(order.ToDictionary(id => id, id => Math.Exp((double)work[id] / o.Temperature - (double)work[order[0]] / o.Temperature)));
        if (o.TopP < 1)
        {
            double before = 0;
            var kept = new Dictionary<int, double>();
            foreach (int id in order)
            {
                if (before >= o.TopP) break;
                kept.Add(id, p[id]);
                before += p[id];
            }

            p = Normalised(kept);
        }

        double most = p.Values.Max();
        p = Normalised(p.Where(e => e.Value >= o.MinP * most).ToDictionary());
        return [.. Enumerable.Range(0, allowed).Select(id => p.GetValueOrDefault(id))];
    }

    private static Dictionary<int, double> Normalised(Dictionary<int, double> weights)
    {
        double sum = weights.Values.Sum();
        return weights.ToDictionary(e => e.Key, e => e.Value / sum);
    }
}
