using CsCheck;
using Hadal.Data.Corpora;

namespace Hadal.Data.Tests.Corpora;

public class PackedBatchesTests
{
    private static TokenArray Counting(int count) => TokenArray.From([.. Enumerable.Range(0, count)], Math.Max(count, 1));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(1000)]
    [InlineData(65_537)]
    public void The_order_of_an_epoch_is_a_permutation(long count)
    {
        var order = new WindowOrder(count, seed: 5);
        for (long epoch = 0; epoch < 3; epoch++)
        {
            bool[] seen = new bool[count];
            for (long i = 0; i < count; i++)
            {
                long window = order[epoch, i];
                Assert.InRange(window, 0, count - 1);
                Assert.False(seen[window]);
                seen[window] = true;
            }
        }
    }

    [Fact]
    public void Epochs_and_seeds_have_different_orders_that_look_shuffled()
    {
        const int Count = 2000;
        var one = new WindowOrder(Count, seed: 1);
        var two = new WindowOrder(Count, seed: 2);
        int sameEpoch = 0, sameSeed = 0, neighbours = 0;
        for (int i = 0; i < Count; i++)
        {
            if (one[0, i] == one[1, i]) sameEpoch++;
            if (one[0, i] == two[0, i]) sameSeed++;
            if (i > 0 && one[0, i] == one[0, i - 1] + 1) neighbours++;
        }

        // Each is about Poisson with mean 1 for a random permutation; 12 has probability below 1e-9.
        Assert.InRange(sameEpoch, 0, 12);
        Assert.InRange(sameSeed, 0, 12);
        Assert.InRange(neighbours, 0, 12);
    }

    [Fact]
    public void An_epoch_predicts_every_token_but_the_first_once()
    {
        const int Length = 8;
        var batches = new PackedBatches(Counting(8 * 30 + 1), Length, sequencesPerMicroBatch: 3, microBatchesPerStep: 2, seed: 9);
        Assert.Equal(30, batches.WindowsPerEpoch);
        Assert.Equal(48, batches.PredictionsPerStep);
        int[] predicted = new int[8 * 30 + 1];
        int[] tokens = new int[batches.TokensPerMicroBatch];
        for (int step = 0; step < 5; step++)
        {
            for (int micro = 0; micro < 2; micro++)
            {
                batches.Fill(step, micro, tokens);
                for (int s = 0; s < 3; s++)
                {
                    for (int i = 1; i <= Length; i++)
                    {
                        // Counting tokens: a window's tokens are neighbours in the corpus.
                        Assert.Equal(tokens[s * 9] + i, tokens[s * 9 + i]);
                        predicted[tokens[s * 9 + i]]++;
                    }
                }
            }
        }

        Assert.Equal(0, predicted[0]);
        Assert.All(predicted.Skip(1), n => Assert.Equal(1, n));
        Assert.Equal(1.0, batches.Epochs(5));
    }

    [Fact]
    public void A_step_is_the_same_however_it_is_reached()
    {
        TokenArray tokens = Counting(5003);
        Gen.Select(Gen.Long[0, 100_000], Gen.Int[0, 3], Gen.ULong).Sample((step, micro, seed) =>
        {
            var first = new PackedBatches(tokens, 16, 2, 4, seed);
            var second = new PackedBatches(tokens, 16, 2, 4, seed);
            int[] a = new int[first.TokensPerMicroBatch], b = new int[first.TokensPerMicroBatch];
            for (int m = 0; m <= micro; m++) first.Fill(step, m, a);
            second.Fill(step, micro, b);
            Assert.Equal(a, b);
        }, iter: 200);
    }

    [Fact]
    public void Filling_allocates_nothing()
    {
        var batches = new PackedBatches(Counting(100_000), 128, 4, 2, 3);
        int[] tokens = new int[batches.TokensPerMicroBatch];
        batches.Fill(0, 0, tokens);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 1; step < 200; step++) batches.Fill(step, step & 1, tokens);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Too_few_tokens_are_one_clear_sentence()
    {
        DataException e = Assert.Throws<DataException>(() => new PackedBatches(Counting(16), 16, 1, 1, 0));
        Assert.Equal("The training text has 16 tokens, but one window of 16 predictions needs 17; give more text or a shorter sequence.", e.Message);
        Assert.Throws<DataException>(() => new ValidationWindows(Counting(0), 4));
        Assert.Equal(1, new PackedBatches(Counting(17), 16, 1, 1, 0).WindowsPerEpoch);
    }

    [Fact]
    public void Wrong_sizes_are_refused()
    {
        var batches = new PackedBatches(Counting(100), 16, 1, 2, 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Fill(0, 2, new int[17]));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Fill(0, 0, new int[16]));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.Fill(-1, 0, new int[17]));
    }

    [Fact]
    public void Validation_windows_are_in_order_and_evenly_spaced_when_limited()
    {
        TokenArray tokens = Counting(1001);
        var all = new ValidationWindows(tokens, 10);
        Assert.Equal(100, all.Count);
        int[] window = new int[11];
        for (int i = 0; i < all.Count; i++)
        {
            all.Fill(i, window);
            Assert.Equal(Enumerable.Range(10 * i, 11), window);
        }

        var some = new ValidationWindows(tokens, 10, maximumWindows: 4);
        Assert.Equal(40, some.Predictions);
        Assert.Equal([0, 250, 500, 750], Enumerable.Range(0, 4).Select(i =>
        {
            some.Fill(i, window);
            return window[0];
        }));
    }
}
