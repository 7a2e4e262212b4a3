using CsCheck;
using Hadal.Data.Baselines;
using Hadal.Data.Corpora;
using Hadal.Data.Sources;

namespace Hadal.Data.Tests.Baselines;

public class BigramModelTests
{
    [Fact]
    public void A_case_small_enough_for_paper()
    {
        // Tokens 0 1 0 1 0 2 1, vocabulary 4. Pairs: 01 ×2, 10 ×2, 02 ×1, 21 ×1.
        // Counts of counts: n1 = 2, n2 = 2, so D2 = 2/(2+4) = 1/3.
        // Different predecessors: of 0 {1} = 1, of 1 {0,2} = 2, of 2 {0} = 1, of 3 none; N = 4; n1 = 2, n2 = 1, D1 = 2/(2+2) = 1/2.
        // Floor for every token: 1/2 · 3/4 · 1/4 = 3/32. q = (1/2)/4 + 3/32 = 7/32, (3/2)/4 + 3/32 = 15/32, 7/32, 3/32.
        var model = BigramModel.Train(TokenArray.From([0, 1, 0, 1, 0, 2, 1], 4));
        Assert.Equal(1 / 3.0, model.Discount, 1e-15);
        Assert.Equal(1 / 2.0, model.LowerDiscount, 1e-15);
        Assert.Equal(4, model.Pairs);

        // After 0 (3 times, 2 kinds): p(1|0) = (2 − 1/3)/3 + (1/3 · 2/3)·15/32.
        Assert.Equal(5 / 9.0 + 2 / 9.0 * 15 / 32, model.Probability(0, 1), 1e-15);
        Assert.Equal(2 / 9.0 + 2 / 9.0 * 7 / 32, model.Probability(0, 2), 1e-15);
        Assert.Equal(2 / 9.0 * 3 / 32, model.Probability(0, 3), 1e-15);

        // After 3, never seen: q itself.
        Assert.Equal(15 / 32.0, model.Probability(3, 1), 1e-15);
        double expected = -(Math.Log(model.Probability(0, 1)) + Math.Log(model.Probability(1, 3))) / 2;
        Assert.Equal(expected, model.CrossEntropy([0, 1, 3]), 1e-15);
    }

    [Fact]
    public void Probabilities_of_all_next_tokens_sum_to_one()
    {
        // Tolerance: sums of up to 60 doubles, each with a few roundings of 1e-16.
        Gen.Select(Gen.Int[2, 60], Gen.Int[2, 400], Gen.Int[1, 1000]).Sample((vocabulary, length, seed) =>
        {
            var random = new Random(seed);
            int skew = random.Next(1, 4);
            int[] ids = [.. Enumerable.Range(0, length).Select(_ => (int)(Math.Pow(random.NextDouble(), skew) * vocabulary))];
            var model = BigramModel.Train(TokenArray.From(ids, vocabulary));
            for (int v = 0; v < vocabulary; v++)
            {
                double sum = 0;
                for (int w = 0; w < vocabulary; w++)
                {
                    double p = model.Probability(v, w);
                    Assert.InRange(p, double.Epsilon, 1 + 1e-9);
                    sum += p;
                }

                Assert.Equal(1, sum, 1e-9);
            }
        }, iter: 200);
    }

    [Fact]
    public void It_beats_a_unigram_on_text_it_has_not_seen()
    {
        string text = string.Join('\n', DotnetDocumentation.Locate(aspNetCore: false).Read().Take(60).Select(d => d.Text));
        int[] ids = [.. System.Text.Encoding.UTF8.GetBytes(text).Select(b => (int)b)];
        int cut = ids.Length * 9 / 10;
        var training = TokenArray.From(ids.AsSpan(0, cut), 256);
        var validation = TokenArray.From(ids.AsSpan(cut), 256);
        double bigram = BigramModel.Train(training).CrossEntropy(validation);

        double[] counts = new double[256];
        foreach (int id in ids.AsSpan(0, cut)) counts[id]++;
        double unigram = 0;
        for (int i = cut + 1; i < ids.Length; i++) unigram -= Math.Log((counts[ids[i]] + 1) / (cut + 256));
        unigram /= ids.Length - cut - 1;

        // English letters: the unigram's entropy is near 3 nats, the bigram's well under 2.7; the bound only asks for a clear difference.
        Assert.True(bigram < unigram - 0.3, $"bigram {bigram}, unigram {unigram}");
    }

    [Fact]
    public void It_approaches_the_entropy_of_a_chain_it_can_learn()
    {
        // Next = previous + 1 with probability 3/4, else uniform over 16.
        static int[] Chain(int length, int seed)
        {
            var random = new Random(seed);
            int[] ids = new int[length];
            for (int i = 1; i < length; i++) ids[i] = random.Next(4) > 0 ? (ids[i - 1] + 1) % 16 : random.Next(16);
            return ids;
        }

        const double Likely = 0.75 + 0.25 / 16, Other = 0.25 / 16;
        double entropy = -(Likely * Math.Log(Likely) + 15 * Other * Math.Log(Other));
        var model = BigramModel.Train(TokenArray.From(Chain(200_000, 1), 16));
        double measured = model.CrossEntropy(TokenArray.From(Chain(200_000, 2), 16));

        // Standard error of the mean of −ln p over 200,000 draws is 1.6/√200000 = 0.0036; three of them.
        Assert.Equal(entropy, measured, 0.011);
    }

    [Fact]
    public void Windows_score_exactly_the_positions_the_model_predicts()
    {
        var random = new Random(2);
        int[] ids = [.. Enumerable.Range(0, 1009).Select(_ => random.Next(20))];
        TokenArray tokens = TokenArray.From(ids, 20);
        var model = BigramModel.Train(tokens);
        var windows = new ValidationWindows(tokens, 16, maximumWindows: 7);
        double sum = 0;
        int[] window = new int[17];
        for (int w = 0; w < windows.Count; w++)
        {
            windows.Fill(w, window);
            sum += model.CrossEntropy(window) * 16;
        }

        // The same terms summed in another order.
        Assert.Equal(sum / (7 * 16), model.CrossEntropy(windows), 1e-12);
        Assert.Equal(model.CrossEntropy(ids), model.CrossEntropy(tokens), 1e-15);
        Assert.Equal(model.CrossEntropy(ids.AsSpan(0, 1009)), model.CrossEntropy(new ValidationWindows(tokens, 16)), 1e-12);
    }

    [Fact]
    public void A_single_token_cannot_be_counted() => Assert.Throws<DataException>(() => BigramModel.Train(TokenArray.From([1], 4)));
}
