namespace Hadal.Training.Optimization;

/// <summary>Linear warm-up in steps, constant peak, cosine decay, constant tails (report section 4.2).</summary>
internal static class LearningRateSchedule
{
    /// <summary>The rate of a step: last + ½(peak - last)(1 + cos(π·(t - start)/(end - start))) in the decay.</summary>
    /// <param name="settings">Rates and turning points.</param>
    /// <param name="step">From 1.</param>
    /// <param name="position">Where the run stands before the step.</param>
    public static double At(OptimizerSettings settings, long step, RunPosition position)
    {
        double peak = settings.LearningRate, last = settings.FinalLearningRate;
        if (step < settings.WarmupSteps) return peak * step / settings.WarmupSteps;
        double start = position.Place(settings.DecayStart), end = position.Place(settings.DecayEnd), tokens = position.Tokens;

        // A run of one step is at its end.
        if (tokens < start || (tokens == start && position.LastTokens > 0)) return peak;
        if (tokens >= end) return position.Value(last, settings.LearningRateChanges);
        return last + 0.5 * (peak - last) * (1 + Math.Cos(Math.PI * (tokens - start) / (end - start)));
    }
}
