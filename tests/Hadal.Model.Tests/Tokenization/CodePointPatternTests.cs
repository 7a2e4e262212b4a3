using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

public class CodePointPatternTests
{
    [Theory]
    [InlineData(@"\p{L}", "a😀\U0001D400\U00020000", "a|\U0001D400|\U00020000")]
    [InlineData(@"[^\p{L}]", "a😀\U0001D400!", "😀|!")]
    [InlineData(@"\P{L}", "a😀b", "😀")]
    [InlineData(@"\p{^L}", "a😀b", "😀")]
    [InlineData(".", "a😀\nb", "a|😀|b")]
    [InlineData("(?m:.)", "a\nb", "a|\n|b")]
    [InlineData("..", "😀😁😂", "😀😁")]
    [InlineData("😀{2}", "😀😀😀", "😀😀")]
    [InlineData("[😀-😂x]+", "y😁x😂z", "😁x😂")]
    [InlineData("[^😀]", "😀😁", "😁")]
    [InlineData(@"(?<=\U0001D400)b", "\U0001D400b cb", "b")]
    [InlineData(@"\bx\b", "x \U0001D400x x", "x|x")]
    [InlineData(@"\Bx", "x ax", "x")]
    [InlineData("[a-z&&[^aeiou]]+", "hello", "h|ll")]
    [InlineData("[a[0-9]]+", "xa1z", "a1")]
    [InlineData("[[:punct:]]+", "a,$1", ",$")]
    [InlineData(@"\w+", "Ⅻⓐ²-ก็", "Ⅻⓐ²|ก็")]
    [InlineData(@"[\w]+", "Ⅻⓐ²-ก็", "Ⅻⓐ|ก็")]
    [InlineData(@"(?i)\p{Lu}", "aB", "B")]
    [InlineData(@"(?i)[\p{Lu}]", "aB", "a|B")]
    [InlineData("[]x]+", "a]x", "]x")]
    [InlineData("[a-]+", "b-a", "-a")]
    [InlineData("(?i)k+s", "KK\u212As kkſ", "KK\u212As|kkſ")]
    [InlineData("(?i:[^k])", "Kkx", "x")]
    [InlineData("(?i:'s|'T)x", "'Sx'tx'tX", "'Sx|'tx")]
    [InlineData("a++b", "aaab", "aaab")]
    [InlineData("a*+a", "aaa", "")]
    [InlineData("a?+a", "aa", "aa")]
    [InlineData("a{,2}b", "aaab", "aab")]
    [InlineData("a{x}", "a{x}", "a{x}")]
    [InlineData("(?<name>a)(?'other'b)", "ab", "ab")]
    [InlineData("a(?#comment)b", "ab", "ab")]
    [InlineData("(?x) a  b # c", "ab", "ab")]
    [InlineData("^b$", "a\nb\nc", "b")]
    [InlineData(@"\u0061\x62\x{1F600}", "ab😀", "ab😀")]
    [InlineData(@"\s+(?!\S)", "a   b", "  ")]
    [InlineData(@"\h\d\W", "f7!", "f7!")]
    [InlineData("(?>a+)b|c", "aabc", "aab|c")]
    public void Patterns_match_code_points(string pattern, string text, string matches)
    {
        pattern = pattern.Replace(@"\U0001D400", "\U0001D400", StringComparison.Ordinal);
        List<(int Start, int End)> found = [];
        new CodePointPattern(pattern, default).FindAll(text, found);
        Assert.Equal(matches.Length == 0 ? [] : matches.Split('|'), found.Select(m => text[m.Start..m.End]));
    }

    [Theory]
    [InlineData("(")]
    [InlineData(")")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("a\\")]
    [InlineData("[b-a]")]
    [InlineData("a{3,1}")]
    [InlineData("a{99999999999}")]
    [InlineData(@"(a)\1")]
    [InlineData(@"\p{Klingon}")]
    [InlineData(@"\p")]
    [InlineData(@"\q")]
    [InlineData(@"\x{110000}")]
    [InlineData("[[:nonsense:]]")]
    [InlineData("[[:alpha:]]")]
    [InlineData("(?~a)")]
    public void What_is_not_supported_is_named_in_one_sentence(string pattern)
    {
        TokenizerException e = Assert.Throws<TokenizerException>(() => new CodePointPattern(pattern, new FilePlace("file", "field")));
        Assert.StartsWith("file: field: the pattern \"", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Half_a_surrogate_pair_in_a_pattern_is_refused()
        => Assert.Throws<TokenizerException>(static () => new CodePointPattern(new string('\uD800', 1), default));

    [Fact]
    public void Deep_nesting_and_great_length_are_refused()
    {
        Assert.Throws<TokenizerException>(() => new CodePointPattern(new string('(', 5000) + new string(')', 5000), default));
        Assert.Throws<TokenizerException>(() => new CodePointPattern(new string('[', 5000) + "a" + new string(']', 5000), default));
        Assert.Throws<TokenizerException>(() => new CodePointPattern(new string('a', 30_000), default));
    }

    [Fact]
    public void A_match_that_would_take_for_ever_is_given_up()
    {
        CodePointPattern pattern = new("(a|aa|a)+$", default, TimeSpan.FromMilliseconds(20));
        TokenizerException e = Assert.Throws<TokenizerException>(() => pattern.FindAll(new string('a', 200) + "b", []));
        Assert.Contains("takes longer than 0.02 s on a stretch of 201 characters", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_patterns_match_or_are_refused_but_do_nothing_else()
        => Gen.OneOf("a", "b", "(", ")", "[", "]", "^", "$", "|", "*", "+", "?", "{2}", "{1,3}", "\\", "p{L}", "s", "w", "b", "-", "&&", "(?:", "(?=",
                "(?<!", "(?i)", "😀", ".", "1", "x", "(?>", "[^", "\\p{N}", "\\S").Array[1, 12]
            .Select(TextGen.WellFormed)
            .Sample(static (parts, text) =>
            {
                try
                {
                    List<(int Start, int End)> found = [];
                    new CodePointPattern(string.Concat(parts), default, TimeSpan.FromMilliseconds(200)).FindAll(text, found);
                    // Matches are in order, do not overlap and never cut a surrogate pair.
                    int place = 0;
                    foreach ((int start, int end) in found)
                    {
                        Assert.True(start >= place && end >= start && end <= text.Length);
                        Assert.False(start < text.Length && char.IsLowSurrogate(text[start]));
                        Assert.False(end < text.Length && char.IsLowSurrogate(text[end]));
                        place = end;
                    }
                }
                catch (TokenizerException)
                {
                }
            }, iter: 1_000);
}
