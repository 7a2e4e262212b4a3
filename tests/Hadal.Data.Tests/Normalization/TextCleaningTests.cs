using System.Text;
using CsCheck;
using Hadal.Data.Deduplication;
using Hadal.Data.Normalization;

namespace Hadal.Data.Tests.Normalization;

public class TextCleaningTests
{
    // Letters, marks that compose, every kind of character that cleaning treats, halves of surrogate pairs, a flag, joiners.
    private const string Alphabet = "ab e\u0301\u3099か\u1100\u1161\u11A8\r\n\t \u00A0\u3000\u200B\u200D\u202E\uFEFF\u0085\u0007\u001B[0m\v\f\u2028\uE000\uFFFF\uFFFD\uD83C\uDFF4\uDB40\uDC67\uD800\u05D0中";

    [Theory]
    [InlineData("one\r\ntwo\rthree\n", "one\ntwo\nthree\n")]
    [InlineData("one \t\ntwo\u3000\n\u3000three", "one\ntwo\n\u3000three")]
    [InlineData("\uFEFFtext", "text")]
    [InlineData("\n\n a\n\n\n\n\nb\n\n\n", " a\n\n\nb\n")]
    [InlineData("a\u00A0b\u202Fc", "a b c")]
    [InlineData("nul\0l and \u001B[31mred\u001B[0m", "null and red")]
    [InlineData("\u0093quoted\u0094 it\u0092s", "“quoted” it’s")]
    [InlineData("zero\u200Bwidth soft\u00ADhyphen", "zerowidth softhyphen")]
    [InlineData("left\u202Eright", "leftright")]
    [InlineData("private\uE000 non\uFDD0", "private non")]
    [InlineData("page\n\ftwo", "page\ntwo")]
    [InlineData("line\vline", "line\nline")]
    [InlineData("cafe\u0301 か\u3099 \u1100\u1161\u11A8", "café が 각")]
    [InlineData("\uF900 \u212B", "豈 Å")]
    [InlineData("\u2028a\u2029b", "a\nb")]
    public void What_carries_nothing_goes(string text, string expected) => Assert.Equal(expected, TextCleaning.Clean(text, CleaningOptions.Default).Text);

    [Theory]
    [InlineData("def f():\n\treturn 1\n\n\nclass A:\n    pass\n")]
    [InlineData("\u3000吾輩は猫である。\n名前はまだ無い。")]
    [InlineData("family 👨\u200D👩\u200D👧, flag 🏴\uDB40\uDC67\uDB40\uDC62\uDB40\uDC65\uDB40\uDC6E\uDB40\uDC67\uDB40\uDC7F")]
    [InlineData("שלום\u200F, world")]
    [InlineData("می\u200Cخواهم")]
    [InlineData("lost \uFFFD letter")]
    public void Good_text_is_the_same_string(string text) => Assert.Same(text, TextCleaning.Clean(text, CleaningOptions.Default).Text);

    // Not as data of a theory, which cannot carry half a pair.
    [Fact]
    public void Half_a_surrogate_pair_goes() => Assert.Equal("ab", TextCleaning.Clean("a\uD800b", CleaningOptions.Default).Text);

    [Fact]
    public void Every_change_is_counted()
    {
        CleaningCounts counts = TextCleaning.Clean("\0\u200B\u202E\uFDD0\uE000\uD800\uFFFD\u00A0x \r\n\n\n\n\ne\u0301 donâ€™t", CleaningOptions.Default).Counts;
        Assert.Equal(new CleaningCounts
        {
            Controls = 1,
            ZeroWidth = 1,
            DirectionMarks = 1,
            Noncharacters = 1,
            PrivateUse = 1,
            LoneSurrogates = 1,
            ReplacementCharacters = 1,
            NoBreakSpaces = 1,
            TrailingBlanks = 1,
            LineEnds = 1,
            BlankLines = 2,
            Composed = 1,
            Mojibake = 1,
        }, counts);
        Assert.Equal(7, counts.Damage);
    }

    [Fact]
    public void Options_keep_what_they_say()
    {
        CleaningOptions options = new() { ReplaceNoBreakSpaces = false, RemovePrivateUse = false, TrimLineEnds = false, MaximumBlankLines = 0, ComposeCharacters = false, RepairMojibake = false };
        Assert.Equal("a\u00A0\uE000 \ne\u0301 â€™", TextCleaning.Clean("a\u00A0\uE000 \n\ne\u0301 â€™", options).Text);
    }

    [Fact]
    public void Cleaning_twice_is_cleaning_once_and_the_result_is_well_formed() =>
        Gen.Int[0, Alphabet.Length - 1].Select(static i => Alphabet[i]).Array[0, 40].Sample(static characters =>
        {
            CleaningOptions options = new() { RepairMojibake = false };
            string once = TextCleaning.Clean(new string(characters), options).Text;
            // Removing what stood between two halves of a pair, or before a joiner, brings them together; the second pass then settles it.
            string twice = TextCleaning.Clean(once, options).Text;
            Assert.Equal(twice, TextCleaning.Clean(twice, options).Text);
            foreach (char c in once) Assert.False(c is '\r' or '\0' or '\u200B');
            Assert.Equal(twice, new UTF8Encoding(false, true).GetString(new UTF8Encoding(false, true).GetBytes(twice)));
        }, iter: 2000, seed: "0000000000001", threads: 1);

    [Theory]
    [InlineData("one\r\ntwo")]
    [InlineData("one  \ntwo  ")]
    [InlineData("one\n\n\ntwo\n")]
    [InlineData("ONE\nTwo")]
    [InlineData("\uFEFFone\u00A0two")]
    [InlineData("\u3000one\ttwo")]
    public void Texts_that_differ_in_nothing_of_meaning_have_one_deduplication_form(string text) => Assert.Equal("one two", DeduplicationForm.Of(text));

    [Fact]
    public void Decomposed_text_has_the_deduplication_form_of_composed_text() =>
        Assert.Equal(DeduplicationForm.Of("Élan が 각"), DeduplicationForm.Of("e\u0301lan か\u3099 \u1100\u1161\u11A8"));
}
