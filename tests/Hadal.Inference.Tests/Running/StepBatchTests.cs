using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Inference.Tests.Running;

public class StepBatchTests
{
    [Fact]
    public void Rows_that_do_not_exist_or_mix_the_forms_of_attention_are_refused()
    {
        using var tiny = TinyModel.Random();
        using var backend = new CpuBackend(1);
        using var model = tiny.Load(backend);
        using var cache = model.CreateCache(200);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence([5, 6, 7]);
        using var other = cache.CreateSequence([5, 6, 7]);
        sequence.Append(8);
        var batch = new StepBatch();
        Assert.Throws<ArgumentException>(() => batch.Add(sequence, 5, LogitRows.None));
        Assert.Throws<ArgumentException>(() => batch.Add(sequence, 0, LogitRows.None));
        Assert.Throws<ArgumentException>(() => batch.Add(sequence, 4, LogitRows.None));
        Assert.Throws<ArgumentException>(() => runner.Forward(batch, TestContext.Current.CancellationToken));
        batch.Add(sequence, 3, LogitRows.None);
        runner.Forward(batch, TestContext.Current.CancellationToken);
        Assert.True(runner.Logits.IsEmpty);
        batch.Clear();
        batch.Add(other, 3, LogitRows.None);
        Assert.Throws<ArgumentException>(() => batch.Add(sequence, 1, LogitRows.All));
    }

    [Fact]
    public void Tokens_outside_the_vocabulary_and_positions_outside_the_context_are_clear_errors()
    {
        using var tiny = TinyModel.Random();
        using var backend = new CpuBackend(1);
        using var model = tiny.Load(backend);
        using var cache = model.CreateCache(300);
        using var runner = new ModelRunner(model, cache);
        using var wrong = cache.CreateSequence([5, 272]);
        var batch = new StepBatch();
        batch.Add(wrong, 2, LogitRows.None);
        var outside = Assert.Throws<GenerationException>(() => runner.Forward(batch, TestContext.Current.CancellationToken));
        Assert.Contains("Token 272", outside.Message, StringComparison.Ordinal);
        using var longer = cache.CreateSequence(new int[201]);
        batch.Clear();
        batch.Add(longer, 201, LogitRows.None);
        var beyond = Assert.Throws<GenerationException>(() => runner.Forward(batch, TestContext.Current.CancellationToken));
        Assert.Contains("200 positions", beyond.Message, StringComparison.Ordinal);
        Assert.Equal(0, longer.CachedLength);
    }

    [Fact]
    public void A_stopped_step_leaves_the_sequence_as_it_was()
    {
        using var tiny = TinyModel.Random();
        using var backend = new CpuBackend(1);
        using var model = tiny.Load(backend);
        using var cache = model.CreateCache(300);
        using var runner = new ModelRunner(model, cache);
        using var sequence = cache.CreateSequence([5, 6]);
        var batch = new StepBatch();
        batch.Add(sequence, 2, LogitRows.Last);
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => runner.Forward(batch, stop.Token));
        Assert.Equal(0, sequence.CachedLength);
        runner.Forward(batch, TestContext.Current.CancellationToken);
        Assert.Equal(2, sequence.CachedLength);
    }

    [Fact]
    public void A_cache_of_another_model_is_refused()
    {
        using var tiny = TinyModel.Random();
        using var backend = new CpuBackend(1);
        using var model = tiny.Load(backend);
        using var plain = InferenceModel.Load(tiny.Folder, backend, new LoadOptions { Mtp = false }, cancellation: TestContext.Current.CancellationToken);
        using var cache = plain.CreateCache(64);
        Assert.Throws<ArgumentException>(() => new ModelRunner(model, cache));
    }
}
