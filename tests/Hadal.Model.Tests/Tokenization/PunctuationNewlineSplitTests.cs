using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

public class PunctuationNewlineSplitTests
{
    private const string Text = "if (a) {\n    f(b);\n\n}\nHe said: \"Go.\"\n\nNo!\n\n.\n";

    [Fact]
    public void At_rate_one_no_token_joins_punctuation_and_line_breaks_and_the_text_stays()
    {
        PunctuationNewlineSplit split = new(TokenizerData.V3, 1, 7);
        int[] ids = TokenizerData.V3.Encode(Text);
        int[] apart = split.Apply(ids, "a");
        Assert.Contains(ids, split.CanSplit);
        Assert.DoesNotContain(apart, split.CanSplit);
        Assert.Equal(Text, TokenizerData.V3.Decode(apart));
        Assert.Equal([.. TokenizerData.V3.Encode("."), .. TokenizerData.V3.Encode("\n\n")], split.Apply(TokenizerData.V3.Encode(".\n\n"), "a"));
    }

    [Fact]
    public void Only_punctuation_followed_by_line_breaks_can_be_split()
    {
        PunctuationNewlineSplit split = new(TokenizerData.V3, 0.5, 7);
        Assert.True(split.SplittableTokens > 100, $"{split.SplittableTokens}");
        foreach (string text in (ReadOnlySpan<string>)["\n", "\n\n", ".", ");", " the", "<｜end▁of▁sentence｜>"])
            Assert.All(TokenizerData.V3.Encode(text), id => Assert.False(split.CanSplit(id)));
        Assert.False(split.CanSplit(-1));
        Assert.False(split.CanSplit(int.MaxValue));
    }

    [Fact]
    public void The_rate_is_met_and_depends_on_seed_document_and_place_alone()
    {
        int token = Assert.Single(TokenizerData.V3.Encode(".\n"));
        int[] ids = Enumerable.Repeat(token, 20_000).ToArray();
        PunctuationNewlineSplit split = new(TokenizerData.V3, 0.25, 7);
        int[] once = split.Apply(ids, "document 1");
        // 5 standard deviations of a binomial count: 5 * sqrt(20000 * 0.25 * 0.75) = 306.
        Assert.InRange(once.Length - ids.Length, 5_000 - 306, 5_000 + 306);
        Assert.Equal(once, new PunctuationNewlineSplit(TokenizerData.V3, 0.25, 7).Apply(ids, "document 1"));
        Assert.NotEqual(once, split.Apply(ids, "document 2"));
        Assert.NotEqual(once, new PunctuationNewlineSplit(TokenizerData.V3, 0.25, 8).Apply(ids, "document 1"));
        Assert.Equal(ids, new PunctuationNewlineSplit(TokenizerData.V3, 0, 7).Apply(ids, "document 1"));
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void A_rate_that_is_no_share_is_refused(double rate)
        => Assert.Throws<ArgumentOutOfRangeException>(() => new PunctuationNewlineSplit(TokenizerData.V3, rate, 0));
}
