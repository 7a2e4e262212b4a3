using Hadal.Training.Runs;

namespace Hadal.Training.Optimization;

/// <summary>How many micro-batches every step of a run has, and what came before it.</summary>
/// <remarks>
/// With a ramp from a to b micro-batches over T tokens, a step that t tokens were seen before has a + ⌊(b - a)·t/T⌋ of them (the report says only that the batch
/// grows gradually). Steps of one size follow each other, so the table of sizes answers for any step without a loop over the steps before.
/// </remarks>
internal sealed class BatchSchedule
{
    private readonly List<Stretch> _stretches = [];
    private readonly int _microBatchSequences;
    private readonly long _microBatchTokens;

    /// <param name="run">A valid run.</param>
    public BatchSchedule(RunConfig run)
    {
        _microBatchSequences = run.MicroBatchSequences;
        _microBatchTokens = (long)run.MicroBatchSequences * run.SequenceLength;
        Largest = run.BatchSequences / run.MicroBatchSequences;
        long step = 1, before = 0;
        if (run.BatchRamp is { } ramp)
        {
            int first = ramp.StartSequences / run.MicroBatchSequences, growth = Largest - first;
            Int128 length = (Int128)ramp.Tokens;
            for (int size = first; size < Largest;)
            {
                _stretches.Add(new Stretch(step, before, size));

                // Steps until the tokens reach t = ⌈(size + 1 - a)·T/(b - a)⌉, the least with a larger batch.
                Int128 next = ((size + 1 - first) * length + growth - 1) / growth, tokens = size * (Int128)_microBatchTokens;
                long steps = (long)((next - before * _microBatchTokens + tokens - 1) / tokens);
                step += steps;
                before = checked(before + steps * size);
                size = (int)Int128.Min(Largest, first + growth * ((Int128)before * _microBatchTokens) / length);
            }
        }

        _stretches.Add(new Stretch(step, before, Largest));
    }

    /// <summary>Micro-batches of a step behind the ramp.</summary>
    public int Largest { get; }

    /// <summary>How many micro-batches a step can have, ascending.</summary>
    public IEnumerable<int> Sizes => _stretches.Select(s => s.MicroBatches).Distinct();

    /// <summary>Micro-batches of a step.</summary>
    /// <param name="step">From 1.</param>
    public int MicroBatches(long step) => Find(step).MicroBatches;

    /// <summary>Sequences of a step.</summary>
    public int Sequences(long step) => MicroBatches(step) * _microBatchSequences;

    /// <summary>Tokens of a step.</summary>
    public long Tokens(long step) => MicroBatches(step) * _microBatchTokens;

    /// <summary>Micro-batches of all steps before a step.</summary>
    public long MicroBatchesBefore(long step)
    {
        var stretch = Find(step);
        return stretch.Before + (step - stretch.FirstStep) * stretch.MicroBatches;
    }

    /// <summary>Tokens of all steps before a step.</summary>
    public long TokensBefore(long step) => MicroBatchesBefore(step) * _microBatchTokens;

    /// <summary>The least number of steps that together have so many tokens.</summary>
    public long StepsFor(long tokens)
    {
        long microBatches = (tokens + _microBatchTokens - 1) / _microBatchTokens;
        var stretch = _stretches[^1];
        for (int i = 1; i < _stretches.Count; i++)
        {
            if (_stretches[i].Before >= microBatches)
            {
                stretch = _stretches[i - 1];
                break;
            }
        }

        return stretch.FirstStep - 1 + (microBatches - stretch.Before + stretch.MicroBatches - 1) / stretch.MicroBatches;
    }

    private Stretch Find(long step)
    {
        int low = 0, high = _stretches.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_stretches[middle].FirstStep <= step) low = middle;
            else high = middle - 1;
        }

        return _stretches[low];
    }

    private readonly record struct Stretch(long FirstStep, long Before, int MicroBatches);
}
