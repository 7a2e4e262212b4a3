using Hadal.Data.Deduplication;

namespace Hadal.Data.Tests.Deduplication;

public sealed class DeduplicationFormTests
{
    [Theory]
    [InlineData("A line\r\nand another", "a line\nand another")]
    [InlineData("trailing blanks   \nhere", "trailing blanks\nhere")]
    [InlineData("a\n\n\n\nb", "a\n\nb")]
    [InlineData("cafe\u0301", "café")]
    [InlineData("LOUD", "loud")]
    [InlineData("no\u00A0break", "no break")]
    [InlineData("\uFEFFmark", "mark")]
    public void Texts_that_differ_in_form_alone_are_the_same(string a, string b) => Assert.Equal(DeduplicationForm.Of(a), DeduplicationForm.Of(b));

    [Theory]
    [InlineData("ab", "a b")]
    [InlineData("cafe", "café")]
    [InlineData("1", "2")]
    public void Texts_that_differ_otherwise_are_not(string a, string b) => Assert.NotEqual(DeduplicationForm.Of(a), DeduplicationForm.Of(b));
}
