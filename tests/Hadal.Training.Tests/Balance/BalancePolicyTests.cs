using Hadal.Numerics;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Balance;

public class BalancePolicyTests
{
    [Theory]
    [InlineData("bias", true, true)]
    [InlineData("sequence_loss", false, true)]
    [InlineData("batch_loss", false, true)]
    [InlineData("none", false, false)]
    public void A_word_says_whether_biases_move_and_whether_the_loss_is_trained(string word, bool moves, bool trains)
    {
        var run = TinyRun.Run with { Balance = word, BalanceWeight = 0.05 };
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(run, TinyRun.Config, backend, new TinyRun.Counting());
        using var without = new Trainer(run with { BalanceWeight = 0 }, TinyRun.Config, backend, new TinyRun.Counting());
        var first = trainer.Step(1);
        without.Step(1);
        Assert.Equal(moves, trainer.Model.ExpertLayers.Any(e => e.Bias.ContainsAnyExcept(0f)));
        Assert.Equal(first.MainLoss + run.MtpWeight * first.MtpLoss[0] + (trains ? 0.05 : 0) * first.BalanceLoss, first.Loss, 1e-12);

        // Only a loss that is trained shows in the second step.
        Assert.Equal(trains, trainer.Step(2).MainLoss != without.Step(2).MainLoss);
    }

    [Fact]
    public void A_trained_loss_evens_the_load_out()
    {
        double none = Last("none"), batch = Last("batch_loss"), sequence = Last("sequence_loss");
        Assert.True(batch < 0.9 * none && sequence < 0.9 * none, $"mean MaxVio: none {none}, batch {batch}, sequence {sequence}");

        static double Last(string word)
        {
            var run = TinyRun.Run with { Steps = 60, Balance = word, BalanceWeight = 1 };
            using var backend = new CpuBackend(2);
            using var trainer = new Trainer(run, TinyRun.Config, backend, new TinyRun.Counting());
            return Enumerable.Range(1, 60).Select(step => trainer.Step(step)).TakeLast(20).Average(m => m.MaxViolation.Average());
        }
    }
}
