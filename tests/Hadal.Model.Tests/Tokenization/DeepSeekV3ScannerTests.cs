using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

public class DeepSeekV3ScannerTests
{
    private static readonly PreTokenizer _byPatterns = PreTokenizer.Of(
        [.. new[] { DeepSeekV3Scanner.DigitPattern, DeepSeekV3Scanner.HanKanaPattern, DeepSeekV3Scanner.WordPattern }
            .Select(static p => new SplitStep(new CodePointPattern(p, default), SplitBehavior.Isolated, invert: false))],
        prefixSpace: false, gpt2Pattern: false, []);

    [Fact]
    public void The_scanner_cuts_random_text_as_the_three_patterns_do()
        => TextGen.WellFormed.Sample(
            static text => Assert.Equal(PieceList.Of(_byPatterns, text), PieceList.Of(PreTokenizer.DeepSeekV3, text)), iter: 5_000);

    [Fact]
    public void Every_code_point_is_cut_as_the_three_patterns_do_between_others()
    {
        for (int codePoint = 0; codePoint < 0x110000; codePoint += codePoint is > 0x3400 and < 0xF900 or > 0x20100 ? 97 : 1)
        {
            if (codePoint is >= 0xD800 and <= 0xDFFF) continue;
            string c = char.ConvertFromUtf32(codePoint);
            string text = $"a{c}b {c}中{c}{c}1{c}.\n{c}";
            List<string> expected = PieceList.Of(_byPatterns, text);
            if (!expected.SequenceEqual(PieceList.Of(PreTokenizer.DeepSeekV3, text))) Assert.Fail($"U+{codePoint:X4}: {string.Join('|', expected)}");
        }
    }

    [Theory]
    [InlineData("1234567", "123|456|7")]
    [InlineData("a  b", "a| | b")]
    [InlineData("x = 1;\r\n\r\n  y", "x| =| |1|;\r\n\r\n| | y")]
    [InlineData("he's .isValid(x)", "he|'s| .|isValid|(x|)")]
    [InlineData("中文カ・タ。", "中文カ|・|タ|。")]
    [InlineData("emoji 😀😀!", "emoji| 😀😀!")]
    [InlineData("\U0001D7E2\U0001D7E3\U0001D7E4\U0001D7E5", "\U0001D7E2\U0001D7E3\U0001D7E4|\U0001D7E5")]
    [InlineData("\0\0\u0001 9", "\0\0\u0001| |9")]
    [InlineData(" \n \n x", " \n \n| x")]
    public void Known_texts_are_cut_as_the_patterns_say(string text, string pieces)
        => Assert.Equal(pieces.Split('|'), PieceList.Of(PreTokenizer.DeepSeekV3, text));
}
