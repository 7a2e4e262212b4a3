using Hadal.Numerics;
using Hadal.Training.Batches;
using Hadal.Training.Metrics;
using Hadal.Training.Model;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Model;

public sealed class AcceptanceTests : IDisposable
{
    private readonly CpuBackend _backend = new(1);

    public void Dispose() => _backend.Dispose();

    [Fact]
    public void A_draft_is_accepted_where_the_token_that_surprises_the_module_least_surprises_the_model_least()
    {
        const int longest = 20;
        var config = TinyRun.Config with { MtpLayers = 2 };
        using var trainer = new Trainer(TinyRun.Run with { Steps = 60 }, config, _backend, new TinyRun.Counting());
        for (int step = 1; step <= 60; step++) trainer.Step(step);
        var whole = new PackedBatch(1, longest);
        new TinyRun.Counting().Fill(3, 1, whole);
        int accepted = 0, positions = 0;
        long[] before = [];
        for (int length = 3; length <= longest; length++)
        {
            // The last token of a sequence is a label only, so it can be tried: for each of the two, the least loss tells the likeliest.
            var tried = Enumerable.Range(0, config.VocabularySize).Select(token => Evaluate(trainer.Model, whole, length, token)).ToArray();
            int main = Least(l => l.MainSum);
            long[] more = [Least(l => l.MtpSums[0]) == main ? 1 : 0, Least(l => l.MtpSums[1]) == main ? 1 : 0];
            if (length > 3)
            {
                Assert.Equal(before.Zip(more, (count, one) => count + one), tried[0].Accepted);
                (accepted, positions) = (accepted + (int)more[0], positions + 1);
            }

            before = tried[0].Accepted;
            int Least(Func<BatchLosses, double> loss) => Enumerable.Range(0, tried.Length).MinBy(t => loss(tried[t]));
        }

        // Or the test would say little.
        Assert.InRange(accepted, 1, positions - 1);
    }

    [Fact]
    public void Every_validation_writes_the_share_for_each_module_and_none_is_written_without_modules()
    {
        string folder = Directory.CreateTempSubdirectory("hadal-accept-").FullName;
        var source = new TinyRun.Counting();
        foreach (int modules in new[] { 2, 0 })
        {
            var config = TinyRun.Config with { MtpLayers = modules };
            using var run = new TrainingRun(TinyRun.Run with { ValidateEvery = 3 }, config, Path.Combine(folder, $"{modules}"), _backend, source, source, 1, []);
            run.Run(null, CancellationToken.None);
            var steps = MetricsLog.Read(run.MetricsFile);
            Assert.Equal(modules == 0 ? [] : [3, 6], steps.Where(s => s.ValidationAcceptance is not null).Select(s => s.Step));
            Assert.All(steps.Where(s => s.ValidationAcceptance is not null), s =>
            {
                Assert.Equal(2, s.ValidationAcceptance!.Length);
                Assert.All(s.ValidationAcceptance, a => Assert.InRange(a, 0, 1));
            });
        }

        Directory.Delete(folder, recursive: true);
    }

    private static BatchLosses Evaluate(TrainingModel model, PackedBatch whole, int length, int last)
    {
        var batch = new PackedBatch(1, length);
        whole.Tokens[..length].CopyTo(batch.Tokens);
        batch.Tokens[length] = last;
        var losses = model.CreateLosses();
        model.Evaluate(batch, losses);
        return losses;
    }
}
