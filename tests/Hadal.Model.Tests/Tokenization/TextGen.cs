using System.Text;
using CsCheck;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>Random text in which everything a pre-tokenizer tells apart is frequent, characters above U+FFFF included.</summary>
internal static class TextGen
{
    private static readonly Gen<int> _scalar = Gen.Frequency(
        (1, Gen.Int[0, 0xD7FF]),
        (1, Gen.Int[0xE000, 0xFFFF]),
        (1, Gen.Int[0x10000, 0x1FFFF]),
        (1, Gen.Int[0x20000, 0x10FFFF]));

    private static readonly Gen<int> _codePoint = Gen.Frequency(
        (6, Gen.Int['a', 'z']),
        (2, Gen.Int['A', 'Z']),
        (4, Gen.OneOf(' ', ' ', '\n', '\r', '\t', '\u00A0', '\u0085', '\u2028', '\u3000').Select(static c => (int)c)),
        (3, Gen.OneOf('0', '7', '9', '²', '½', 'Ⅻ', '٣', '\u0E59').Select(static c => (int)c)),
        (3, Gen.OneOf('.', ',', '\'', '_', '(', ']', '<', '+', '$', '|', '。', '«', '€').Select(static c => (int)c)),
        (3, Gen.OneOf('中', '文', '一', '龥', 'あ', 'ん', 'ゟ', 'ア', '・', 'ー', '\u9FA6', '\u3099', '\u309B', '〇').Select(static c => (int)c)),
        (2, Gen.OneOf('é', 'ß', 'я', 'א', 'ع', 'ก', '한', '\u0301', '\u0E31', '\u200D', '\u00AD', '\uFEFF', '\0', '\u001C').Select(static c => (int)c)),
        (4, Gen.OneOf(0x1F600, 0x1F3FD, 0x20000, 0x2F800, 0x1D400, 0x1D7E2, 0x10400, 0x1E900, 0x11000, 0x10100, 0xE0001, 0x1F1E6, 0xF0000)),
        (2, _scalar));

    /// <summary>Well-formed text of up to 60 code points.</summary>
    internal static Gen<string> WellFormed { get; } = _codePoint.Array[0, 60].Select(static codePoints =>
    {
        StringBuilder text = new();
        foreach (int codePoint in codePoints) text.Append(char.ConvertFromUtf32(codePoint));
        return text.ToString();
    });

    /// <summary>Text of any UTF-16 units, lone surrogates included.</summary>
    internal static Gen<string> Units { get; } = Gen.Frequency(
        (3, Gen.Char['a', 'z']), (1, Gen.Char['\uD800', '\uDFFF']), (1, Gen.Char['\0', '\uFFFF'])).Array[0, 40].Select(static units => new string(units));
}
