using Hadal.Training.Balance;
using Hadal.Training.Experts;

namespace Hadal.Training.Metrics;

/// <summary>Watches how the experts of a model are used, over steps and between validations.</summary>
internal sealed class ExpertWatch
{
    /// <summary>Steps without a token after which an expert counts as dead.</summary>
    public const int DeadAfter = 100;

    private readonly IReadOnlyList<IExpertFigures> _layers;
    private readonly int[][] _idle;
    private readonly int[]?[] _looks;
    private readonly double[] _churn;
    private int _steps;
    private bool _hasChurn;

    public ExpertWatch(IReadOnlyList<IExpertFigures> layers)
    {
        _layers = layers;
        _idle = [.. layers.Select(l => new int[l.Load.Length])];
        _looks = new int[layers.Count][];
        _churn = new double[layers.Count];
    }

    /// <summary>Adds what a step showed, after its biases have moved.</summary>
    public StepMetrics AfterStep(StepMetrics metrics)
    {
        _steps++;
        for (int l = 0; l < _layers.Count; l++)
        {
            var load = _layers[l].Load;
            for (int e = 0; e < load.Length; e++) _idle[l][e] = load[e] > 0 ? 0 : _idle[l][e] + 1;
        }

        return metrics with
        {
            MaxViolation = [.. _layers.Select(e => LoadBalance.MaxViolation(e.Load))],
            ExpertLoad = [.. _layers.Select(e => e.Load.ToArray())],
            LoadEntropy = [.. _layers.Select(e => LoadBalance.Entropy(e.Load))],
            DeadExperts = _steps < DeadAfter ? null : [.. _idle.Select(layer => layer.Count(steps => steps >= DeadAfter))],
            BiasSpread = [.. _layers.Select(e => LoadBalance.Spread(e.Biases))],
            TokensPerGroup = _layers.Count == 0 || _layers[0].TokensPerGroup.Length < 2 ? null : [.. _layers.Select(e => e.TokensPerGroup.ToArray())],
        };
    }

    /// <summary>Called behind the first micro-batch of a validation, whose tokens are always the same.</summary>
    public void LookAtChoices()
    {
        for (int l = 0; l < _layers.Count; l++)
        {
            var now = _layers[l].EvaluatedChoices;
            _hasChurn = _looks[l] is { } before && before.Length == now.Length;
            if (_hasChurn) _churn[l] = LoadBalance.Churn(_looks[l], now, _layers[l].Chosen);
            _looks[l] = now.ToArray();
        }
    }

    /// <summary>Adds what a validation showed.</summary>
    public StepMetrics AfterValidation(StepMetrics metrics) => metrics with
    {
        ValidationMaxViolation = [.. _layers.Select(e => LoadBalance.MaxViolation(e.EvaluatedLoad))],
        RoutingChurn = _hasChurn ? [.. _churn] : null,
    };
}
