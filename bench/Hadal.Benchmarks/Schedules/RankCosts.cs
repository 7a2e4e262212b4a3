using System.Diagnostics;
using Hadal.Numerics;
using Hadal.Parallel.Training;
using Hadal.Training.Batches;
using Hadal.Training.Model;

namespace Hadal.Benchmarks.Schedules;

/// <summary>What the operations of one rank take by themselves: each of its stages computes a micro-batch again and again, and nobody sends anything.</summary>
/// <remarks>Gradients and losses that come of it are thrown away. All ranks measure at the same time, so that they share memory and caches as in a step.</remarks>
internal sealed class RankCosts
{
    private const int Repeats = 3;
    private readonly ParallelEngine _engine;
    private readonly PackedBatch _batch;
    private readonly CpuBackend _backend;
    private readonly LossScales _scales;

    public RankCosts(ParallelEngine engine, CpuBackend backend, PackedBatch batch)
    {
        (_engine, _backend, _batch, _scales) = (engine, backend, batch, new LossScales(batch.Length, 1, 0, 0));
    }

    /// <summary>Seconds: of each stage of the rank F, B, Bi and W, then of each stage its forward overlapped with the backward of the other one, if there are two.</summary>
    public double[] Measure()
    {
        using Arena ahead = new(_backend), back = new(_backend), backToo = new(_backend);
        var losses = ModelStage.CreateLosses(_engine.Config);
        var stages = _engine.Model.Stages;
        var states = Array.ConvertAll(stages, s => new[] { s.CreateState(ahead), s.CreateState(ahead) });
        var forwards = Array.ConvertAll(stages, s => new ForwardPass(s));
        var backwards = Array.ConvertAll(stages, s => new BackwardPass(s));
        var seconds = new List<double>[stages.Length * 4 + (stages.Length == 2 ? 2 : 0)];
        for (int i = 0; i < seconds.Length; i++) seconds[i] = [];

        // The first round makes memory, and is not counted.
        for (int round = 0; round <= Repeats; round++)
        {
            for (int s = 0; s < stages.Length; s++)
            {
                Time(4 * s, round, Prepared(s), state => forwards[s].Run(state, ahead, _scales, losses));
                Time(4 * s + 1, round, WithGradient(states[s][0]), state => backwards[s].Run(state, back, defersWeights: false));
                forwards[s].Run(Prepared(s), ahead, _scales, losses);
                Time(4 * s + 2, round, WithGradient(states[s][0]), state => backwards[s].Run(state, back, defersWeights: true));
                Time(4 * s + 3, round, states[s][0], state => backwards[s].Weights(state, back));
            }

            for (int s = 0; s < stages.Length && stages.Length == 2; s++)
            {
                var (forward, backward) = (forwards[s], backwards[1 - s]);
                forwards[1 - s].Run(Prepared(1 - s), ahead, _scales, losses);
                WithGradient(states[1 - s][0]);
                Time(4 * stages.Length + s, round, Prepared(s, 1), state =>
                {
                    forward.Begin(state, ahead, _scales, losses);
                    backward.Begin(states[1 - s][0], back, backToo, defersWeights: false);
                    for (bool isBack = true, isAhead = true; isBack || isAhead;)
                    {
                        isBack = isBack && backward.Advance();
                        isAhead = isAhead && forward.Advance();
                    }
                });
            }
        }

        foreach (var state in states.SelectMany(s => s)) state.Dispose();
        _engine.Discard();
        return Array.ConvertAll(seconds, Median);

        StageState Prepared(int s, int which = 0)
        {
            var state = states[s][which];
            state.Prepare(_batch, 0, isTraining: true, _engine.Config.HiddenSize);
            if (!stages[s].Part.IsFirst) Fill(state.Stream);
            return state;
        }

        StageState WithGradient(StageState state)
        {
            Fill(state.MakeDStream());
            return state;
        }

        void Time(int which, int round, StageState state, Action<StageState> run)
        {
            long started = Stopwatch.GetTimestamp();
            run(state);
            if (round > 0) seconds[which].Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
    }

    public static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private void Fill(Tensor tensor)
    {
        var random = new Random(3);
        var values = new float[tensor.Count];
        for (int i = 0; i < values.Length; i++) values[i] = (float)(random.NextDouble() - 0.5);
        _backend.Write(values, tensor);
    }
}
