using Hadal.Training.Batches;

namespace Hadal.Training.Runs;

/// <summary>The micro-batches of one step, by their numbers from 0.</summary>
/// <param name="Source">Where they come from.</param>
/// <param name="First">Number of the first among all micro-batches of the run.</param>
/// <param name="Count">How many.</param>
/// <param name="Largest">Micro-batches of a step of the full batch: the source counts in those, so that a place in the data does not depend on how the batch grew.</param>
internal readonly record struct StepBatches(IBatchSource Source, long First, int Count, int Largest)
{
    public void Fill(int number, PackedBatch batch) => Source.Fill((First + number) / Largest + 1, (int)((First + number) % Largest), batch);

    public long CountLabels(int number, PackedBatch batch) => Source.CountLabels((First + number) / Largest + 1, (int)((First + number) % Largest), batch);
}
