using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>The expected cuts follow from the reference library's description of each behaviour.</summary>
public class SplitStepTests
{
    [Theory]
    [InlineData("Isolated", false, "a--b-c", "a|-|-|b|-|c")]
    [InlineData("Removed", false, "a--b-c", "a|b|c")]
    [InlineData("MergedWithPrevious", false, "a--b-c", "a-|-|b-|c")]
    [InlineData("MergedWithNext", false, "a--b-c", "a|-|-b|-c")]
    [InlineData("Contiguous", false, "a--b-c", "a|--|b|-|c")]
    [InlineData("Isolated", true, "a--b-c", "a|-|-|b|-|c")]
    [InlineData("Removed", true, "a--b-c", "-|-|-")]
    [InlineData("MergedWithPrevious", true, "a--b-c", "a|-|-b|-c")]
    [InlineData("MergedWithNext", true, "a--b-c", "a-|-|b-|c")]
    [InlineData("Contiguous", true, "a--b-c", "a|--|b|-|c")]
    [InlineData("MergedWithPrevious", false, "-a-", "-|a-")]
    [InlineData("MergedWithNext", false, "-a-", "-a|-")]
    [InlineData("Removed", false, "---", "")]
    [InlineData("Contiguous", false, "---", "---")]
    public void Each_behaviour_treats_matches_as_the_format_says(string behavior, bool invert, string text, string pieces)
    {
        SplitStep step = new(new LiteralMatcher("-"), Enum.Parse<SplitBehavior>(behavior), invert);
        Assert.Equal(pieces.Length == 0 ? [] : pieces.Split('|'), PieceList.Of(step, text));
    }

    [Fact]
    public void An_empty_match_cuts_without_being_a_piece()
    {
        SplitStep step = new(new CodePointPattern("x*", default), SplitBehavior.Isolated, invert: false);
        Assert.Equal(["a", "xx", "b", "😀"], PieceList.Of(step, "axxb😀"));
    }

    [Fact]
    public void Every_behaviour_but_Removed_keeps_all_text()
        => TextGen.WellFormed.Select(Gen.Enum<SplitBehavior>(), Gen.Bool, Gen.OneOf(@"\p{L}+", @"\s", "[aeiou]|中", @"(?=b)|c")).Sample(
            (text, behavior, invert, pattern) =>
            {
                if (behavior == SplitBehavior.Removed) return;
                SplitStep step = new(Patterns(pattern), behavior, invert);
                Assert.Equal(text, string.Concat(PieceList.Of(step, text)));
            }, iter: 2_000);

    [Fact]
    public void Steps_after_ByteLevel_see_the_byte_alphabet()
    {
        SplitStep digits = new(new CodePointMatcher(UnicodeProperties.Number), SplitBehavior.Isolated, invert: false);
        // U+00B2 is C2 B2 in UTF-8; in the byte alphabet B2 is the character U+00B2 again, a number.
        PreTokenizer steps = PreTokenizer.Of([], prefixSpace: true, gpt2Pattern: false, [digits]);
        Assert.Equal(["mapped:Ġx", "mapped:1", "mapped:Â", "mapped:²"], PieceList.Of(steps, "x1²"));
    }

    [Fact]
    public void The_prefix_blank_stands_before_pieces_without_one_and_the_GPT2_pattern_sees_it()
    {
        SplitStep lines = new(new LiteralMatcher("\n"), SplitBehavior.Removed, invert: false);
        PreTokenizer prefixed = PreTokenizer.Of([lines], prefixSpace: true, gpt2Pattern: true, []);
        PreTokenizer plain = PreTokenizer.Of([], prefixSpace: false, gpt2Pattern: true, []);
        Assert.Equal([" Hello", "  ", " world", "'s", " all"], PieceList.Of(prefixed, "Hello   world's\nall"));
        Assert.Equal(["Hello", "  ", " world", "'s"], PieceList.Of(plain, "Hello   world's"));
    }

    private static readonly Dictionary<string, CodePointPattern> _compiled = [];

    private static CodePointPattern Patterns(string pattern)
    {
        lock (_compiled)
        {
            if (!_compiled.TryGetValue(pattern, out CodePointPattern? compiled)) _compiled.Add(pattern, compiled = new CodePointPattern(pattern, default));
            return compiled;
        }
    }
}
