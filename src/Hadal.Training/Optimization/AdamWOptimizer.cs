using Hadal.Numerics;
using Hadal.Training.Parameters;

namespace Hadal.Training.Optimization;

/// <summary>Clips the gradients by their global norm and takes one AdamW step over what is trained of a parameter set.</summary>
internal sealed class AdamWOptimizer(IBackend backend, ParameterSet parameters, OptimizerSettings settings, FrozenParameters? frozen = null)
{
    private readonly ParameterRegion[] _trained = [.. frozen?.Trained ?? parameters.Regions], _frozen = [.. frozen?.Frozen ?? []];

    /// <summary>The rates of a step, clipping included.</summary>
    /// <param name="settings">Of the run.</param>
    /// <param name="step">Updates so far, this one included.</param>
    /// <param name="learningRate">Rate of this step.</param>
    /// <param name="norm">The global norm of the gradients.</param>
    public static AdamWStep Rates(OptimizerSettings settings, int step, double learningRate, double norm)
    {
        double scale = settings.ClipNorm > 0 ? Math.Min(1, settings.ClipNorm / (norm + 1e-6)) : 1;
        return new AdamWStep(
            (float)learningRate, (float)settings.Beta1, (float)settings.Beta2, (float)settings.Epsilon, (float)settings.WeightDecay, step, (float)scale);
    }

    /// <summary>The global norm of the gradients of what is trained, before clipping.</summary>
    public double Norm()
    {
        foreach (var region in _frozen) backend.Clear(parameters.Gradients.ElementRange(region.Offset, region.Count));
        return Math.Sqrt(backend.SumOfSquares(parameters.Gradients));
    }

    /// <summary>Zeroes the gradients without using them.</summary>
    public void Discard() => backend.Clear(parameters.Gradients);

    /// <summary>g *= min(1, clip / (norm + 1e-6)); decay; moments; update; the gradients are zero afterwards (those of frozen parameters since <see cref="Norm"/>).</summary>
    /// <param name="step">Updates so far, this one included.</param>
    /// <param name="learningRate">Rate of this step.</param>
    /// <param name="norm">What <see cref="Norm"/> gives.</param>
    public void Step(int step, double learningRate, double norm)
    {
        var rates = Rates(settings, step, learningRate, norm);
        if (settings.DecayNorms && _frozen.Length == 0)
        {
            backend.AdamW(parameters.Weights, parameters.Gradients, parameters.FirstMoments, parameters.SecondMoments, rates);
        }
        else
        {
            foreach (var region in _trained)
            {
                backend.AdamW(
                    parameters.Weights.ElementRange(region.Offset, region.Count), parameters.Gradients.ElementRange(region.Offset, region.Count), parameters.FirstMoments.ElementRange(region.Offset, region.Count),
                    parameters.SecondMoments.ElementRange(region.Offset, region.Count), region.IsVector && !settings.DecayNorms ? rates with { WeightDecay = 0 } : rates);
            }
        }
    }
}
