using System.Globalization;

namespace Hadal.Model.Tokenization;

/// <summary>What the DeepSeek-V3 pre-tokenizer asks of a code point, one bit a question.</summary>
/// <remarks>
/// White space is that of the Unicode property (U+0009-000D, 0020, 0085, 00A0, 1680, 2000-200A, 2028, 2029, 202F, 205F, 3000), which is also what
/// <see cref="char.IsWhiteSpace(char)"/> answers. General categories are those of the running .NET version.
/// </remarks>
internal static class CharacterKinds
{
    internal const byte Letter = 1;
    internal const byte Mark = 2;
    internal const byte Number = 4;
    internal const byte PunctuationOrSymbol = 8;
    internal const byte WhiteSpace = 16;
    internal const byte LineBreak = 32;
    internal const byte HanOrKana = 64;
    internal const byte AsciiPunctuation = 128;

    private static readonly byte[] _bmp = Build();

    /// <summary>The kinds of the code point that starts at a place of well-formed UTF-16 text.</summary>
    /// <param name="text">Text without lone surrogates.</param>
    /// <param name="index">Where the code point starts.</param>
    /// <param name="width">UTF-16 units it takes, 1 or 2.</param>
    internal static byte At(ReadOnlySpan<char> text, int index, out int width)
    {
        char c = text[index];
        if (!char.IsHighSurrogate(c) || index + 1 >= text.Length)
        {
            width = 1;
            return _bmp[c];
        }

        width = 2;
        return OfCategory(CharUnicodeInfo.GetUnicodeCategory(char.ConvertToUtf32(c, text[index + 1])));
    }

    /// <summary>True for A-Z and a-z.</summary>
    internal static bool IsAsciiLetter(char c) => (uint)((c | 0x20) - 'a') < 26;

    private static byte[] Build()
    {
        byte[] kinds = new byte[0x10000];
        for (int c = 0; c < kinds.Length; c++)
        {
            byte kind = OfCategory(CharUnicodeInfo.GetUnicodeCategory((char)c));
            if (char.IsWhiteSpace((char)c)) kind |= WhiteSpace;
            if (c is '\r' or '\n') kind |= LineBreak;
            if (c is (>= 0x4E00 and <= 0x9FA5) or (>= 0x3040 and <= 0x30FF)) kind |= HanOrKana;
            if (c is (>= '!' and <= '/') or (>= ':' and <= '@') or (>= '[' and <= '`') or (>= '{' and <= '~')) kind |= AsciiPunctuation;
            kinds[c] = kind;
        }

        return kinds;
    }

    private static byte OfCategory(UnicodeCategory category)
        => category switch
        {
            <= UnicodeCategory.OtherLetter => Letter,
            <= UnicodeCategory.EnclosingMark => Mark,
            <= UnicodeCategory.OtherNumber => Number,
            >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherSymbol => PunctuationOrSymbol,
            _ => 0,
        };
}
