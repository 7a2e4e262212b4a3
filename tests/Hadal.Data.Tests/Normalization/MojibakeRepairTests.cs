using System.Text;
using Hadal.Data.Normalization;

namespace Hadal.Data.Tests.Normalization;

public class MojibakeRepairTests
{
    [Theory]
    [InlineData("weâ€™ll no longer stay", "we’ll no longer stay")]
    [InlineData("quiÃ©n sabÃ­a, Â¿no?", "quién sabía, ¿no?")]
    [InlineData("Â£5 and 20Â°", "£5 and 20°")]
    [InlineData("LlevÃ\u0083Â¡ronle", "Lleváronle")]
    [InlineData("Ã¢â‚¬Å“doubleÃ¢â‚¬\u009D", "“double”")]
    [InlineData("ðŸ˜€", "😀")]
    [InlineData("ï»¿text", "\uFEFFtext")]
    [InlineData("MÃ©xico: ESPAÃ‘A", "México: ESPAÑA")]
    public void Text_read_in_a_wrong_encoding_is_repaired(string text, string expected) => Assert.Equal(expected, MojibakeRepair.Repair(text, out _));

    [Theory]
    [InlineData("吾輩は猫である。名前はまだ無い。")]
    [InlineData("Война и мир, часть первая")]
    [InlineData("¡Ta, ta! —dijo el cura—. ¿Jayanes hay en la danza?")]
    public void Whole_texts_come_back_from_latin_1(string text)
    {
        string once = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
        string twice = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(once));
        Assert.Equal(text, MojibakeRepair.Repair(once, out _));
        Assert.Equal(text, MojibakeRepair.Repair(twice, out _));
    }

    [Theory]
    [InlineData("LIBERTÉ» et «CAFÉ™»")]
    [InlineData("IRMÃ» AMANHû")]
    [InlineData("the letters «Â» and «Ã»")]
    [InlineData("“un café”… dit-elle")]
    [InlineData("sagte „Hä“… und ging")]
    [InlineData("São Paulo, coração, manhã – amanhã…")]
    [InlineData("Þórður Ólafsson, Åse Ærø, Łódź, Việt Nam")]
    [InlineData("x² ± 3°, 5 € für 2 £, ½ × ¾")]
    [InlineData("中文，日本語、한국어")]
    public void Right_text_is_the_same_string(string text)
    {
        Assert.Same(text, MojibakeRepair.Repair(text, out int repaired));
        Assert.Equal(0, repaired);
    }
}
