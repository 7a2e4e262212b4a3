using System.Globalization;
using System.Text;

namespace Hadal.Data.Quality;

/// <summary>The class of every UTF-16 code unit, as a table of 64 KiB.</summary>
internal static class CharacterClasses
{
    // The characters that lead frequency lists of Chinese (modern and classical, both ways of writing) and the kana that join and end Japanese words.
    private const string Frequent = "的了是不一有人之我他来这道在个上大为子得其以也无来來這個爲為無於于而何中下天日时時生自心のはをにがでとたもなしかてる";

    public static CharacterClass[] Table { get; } = Build();

    /// <summary>The class of a character that two code units make.</summary>
    public static CharacterClass Of(Rune rune)
    {
        if (rune.IsBmp) return Table[rune.Value];
        if ((rune.Value & 0xFFFE) == 0xFFFE || rune.Value >= 0xE0000) return CharacterClass.Damage;
        return rune.Value is >= 0x20000 and < 0x40000 ? CharacterClass.Ideograph : OfCategory(Rune.GetUnicodeCategory(rune));
    }

    private static CharacterClass[] Build()
    {
        var table = new CharacterClass[65536];
        for (int i = 0; i < table.Length; i++) table[i] = Of((char)i);
        foreach (char c in Frequent) table[c] = CharacterClass.FrequentIdeograph;

        // The first character of what replacement characters become when they are written as UTF-8 and read as GBK, and hardly anything else.
        table['锟'] = CharacterClass.Damage;
        return table;
    }

    private static CharacterClass Of(char c)
    {
        if (c == '\n') return CharacterClass.LineEnd;
        if (c is '\u200C' or '\u200D') return CharacterClass.Mark;
        if (c is '\u0085') return CharacterClass.Damage;
        if (char.IsWhiteSpace(c)) return CharacterClass.Blank;
        if (char.IsSurrogate(c)) return CharacterClass.Surrogate;
        if (c is '\uFFFD' or >= '\uFDD0' and <= '\uFDEF' or >= '\uFFFE') return CharacterClass.Damage;
        var general = OfCategory(char.GetUnicodeCategory(c));
        return general is CharacterClass.Letter && IsWithoutBlanks(c) ? CharacterClass.Ideograph : general;
    }

    private static CharacterClass OfCategory(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => CharacterClass.Capital,
        UnicodeCategory.LowercaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharacterClass.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterClass.Digit,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => CharacterClass.Mark,
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned => CharacterClass.Damage,
        UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => CharacterClass.Blank,
        UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation => CharacterClass.Punctuation,
        _ => CharacterClass.Symbol,
    };

    /// <summary>Han, kana, Thai, Lao, Myanmar and Khmer.</summary>
    private static bool IsWithoutBlanks(char c) => c is >= '\u2E80' and <= '\u30FF' or >= '\u31F0' and <= '\u31FF' or >= '\u3400' and <= '\u9FFF' or >= '\uF900' and <= '\uFAFF'
        or >= '\uFF66' and <= '\uFF9F' or >= '\u0E00' and <= '\u0EFF' or >= '\u1000' and <= '\u109F' or >= '\u1780' and <= '\u17FF';
}
