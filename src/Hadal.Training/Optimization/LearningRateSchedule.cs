namespace Hadal.Training.Optimization;

/// <summary>Linear warm-up, constant peak, cosine decay, constant tail (report section 4.2).</summary>
internal static class LearningRateSchedule
{
    /// <summary>The rate of a step.</summary>
    /// <param name="settings">Rates and turning points.</param>
    /// <param name="step">From 1.</param>
    /// <param name="steps">Steps of the whole run.</param>
    public static double At(OptimizerSettings settings, long step, long steps)
    {
        double peak = settings.LearningRate, last = settings.FinalLearningRate;
        if (step < settings.WarmupSteps) return peak * step / settings.WarmupSteps;
        double progress = steps <= 1 ? 1 : (double)(step - 1) / (steps - 1);
        if (progress <= settings.DecayStart) return peak;
        if (progress >= settings.DecayEnd) return last;
        double phase = (progress - settings.DecayStart) / (settings.DecayEnd - settings.DecayStart);
        return last + 0.5 * (peak - last) * (1 + Math.Cos(Math.PI * phase));
    }
}
