namespace Hadal.Data.Languages;

/// <summary>Letters of a text by script, and the marks that code is full of.</summary>
internal readonly record struct ScriptCounts(int Latin, int Han, int Kana, int Others, int FrequentHan, int Marks)
{
    // Frequent characters of modern and classical Chinese, simplified and traditional.
    private const string Frequent = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家事成方多经么去法学如都同现当没动面起看定天分还进好小"
        + "這個們來為國說時會對於過後裡學現當沒動還進曰者其乃與与兵將将見见三二十山水日月心風风花春夜無无不";

    // Of Chinese text half the characters and more are in the list; of bytes read in a wrong encoding hardly any.
    private const double LeastFrequent = 0.03;
    private const int FewHan = 100;

    private static readonly bool[] _frequent = FindFrequent();
    private static readonly byte[] _marks = FindMarks();

    /// <summary>Whether the Han characters can be Chinese; a few are given the benefit of the doubt.</summary>
    internal bool LooksChinese => Han < FewHan || FrequentHan >= LeastFrequent * Han;

    internal static ScriptCounts Of(ReadOnlySpan<char> text)
    {
        int latin = 0, han = 0, kana = 0, others = 0, frequent = 0, marks = 0;
        foreach (char c in text)
        {
            if (c < 0x80)
            {
                if (char.IsAsciiLetter(c)) latin++;
                else marks += _marks[c];
            }
            else if (c is >= '\u4E00' and <= '\u9FFF')
            {
                han++;
                if (_frequent[c - 0x4E00]) frequent++;
            }
            else if (c is >= '\u3041' and <= '\u30FF' and not '\u30FB')
            {
                kana++;
            }
            else if (c is (>= '\u3400' and <= '\u4DBF') or (>= '\uD840' and <= '\uD888'))
            {
                han++;
            }
            else if (c is (>= '\u00C0' and <= '\u024F' and not ('\u00D7' or '\u00F7')) or (>= '\u1E00' and <= '\u1EFF'))
            {
                latin++;
            }
            else if (char.IsLetter(c))
            {
                others++;
            }
        }

        return new ScriptCounts(latin, han, kana, others, frequent, marks);
    }

    private static bool[] FindFrequent()
    {
        bool[] frequent = new bool[0xA000 - 0x4E00];
        foreach (char c in Frequent) frequent[c - 0x4E00] = true;
        return frequent;
    }

    private static byte[] FindMarks()
    {
        byte[] marks = new byte[0x80];
        foreach (char c in "{}[]()<>=;:_#$%&|*@/\\") marks[c] = 1;
        return marks;
    }
}
