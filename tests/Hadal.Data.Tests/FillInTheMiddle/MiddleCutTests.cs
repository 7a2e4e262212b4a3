using Hadal.Data.FillInTheMiddle;

namespace Hadal.Data.Tests.FillInTheMiddle;

public sealed class MiddleCutTests
{
    [Fact]
    public void Every_pair_of_places_is_drawn()
    {
        var random = new Random(1);
        var cuts = Enumerable.Range(0, 2000).Select(_ => MiddleCut.Draw("abcd", (ulong)random.NextInt64(long.MinValue, long.MaxValue))).ToHashSet();
        Assert.Equal(15, cuts.Count);
    }

    [Theory]
    [InlineData("\U0001F600\U0001F601\U0001F602")]
    [InlineData("\r\n\r\n")]
    public void Neither_a_pair_of_surrogates_nor_a_line_end_is_cut(string text)
    {
        var random = new Random(2);
        for (int i = 0; i < 200; i++)
        {
            var cut = MiddleCut.Draw(text, (ulong)random.NextInt64(long.MinValue, long.MaxValue));
            Assert.True(cut.From % 2 == 0 && cut.To % 2 == 0 && cut.From <= cut.To);
        }
    }

    [Fact]
    public void An_empty_text_is_cut_into_nothing() => Assert.Equal(new MiddleCut(0, 0), MiddleCut.Draw("", ulong.MaxValue));
}
