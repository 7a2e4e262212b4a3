using System.Text;
using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>The fast encoder against the scanner's pieces merged one by one.</summary>
public class DeepSeekV3EncoderTests
{
    private static readonly Gen<string> _mostlyAscii = Gen.Frequency(
        (6, Gen.Char['a', 'z'].Array[1, 18].Select(static c => new string(c))),
        (4, Gen.OneOf(" ", " ", "\n", "\r\n", "\t", "  ", "    ", ".", ",", "();", "\"", "_", "'s", "...", "=>", "=================", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n")),
        (1, Gen.OneOf("1", "12", "1234", "é", "\u0301", "中文", "ん", "”", "—", "😀", "\U00010400", "\0", "\u0001", "\u007F", "\u00A0", "\u8000", "\uFF01")))
        .Array[1, 40].Select(static parts => string.Concat(parts));

    private static readonly Gen<string> _mostlyChinese = Gen.Frequency(
        (6, Gen.OneOf("的", "一", "了", "中国", "人民", "说道", "ー", "ッ", "カタカナ", "ひらがな", "龥", "\u9FA6", "\u3040", "゠", "・", "ゝ", "゛", "\u3099")),
        (2, Gen.OneOf("，", "。", "：“", "”\n", "\n\n", "1", "a", " ", "é", "😀", "\0", "，\0", "\u0301")),
        (1, Gen.Char['\u4E00', '\u9FA5'].Select(static c => c.ToString()))).Array[1, 60].Select(static parts => string.Concat(parts));

    [Fact]
    public void Ids_are_those_of_the_pieces_one_by_one()
        => Gen.Frequency((3, _mostlyAscii), (1, TextGen.WellFormed)).Sample(
            static text => Assert.Equal(PieceByPiece(text), TokenizerData.V3.Encode(text, EncodeOptions.Untrusted)), iter: 5_000);

    [Fact]
    public void Ids_of_Chinese_and_Japanese_are_those_of_the_pieces_one_by_one()
    {
        // So much that the tables for them have been made.
        TokenizerData.V3.Encode(new string('中', 1 << 14));
        _mostlyChinese.Sample(static text => Assert.Equal(PieceByPiece(text), TokenizerData.V3.Encode(text, EncodeOptions.Untrusted)), iter: 5_000);
    }

    [Fact]
    public void Every_pair_of_ASCII_characters_is_encoded_as_its_pieces_are()
    {
        for (int first = 0; first < 0x80; first++)
        {
            for (int second = 0; second < 0x80; second++)
            {
                string text = $"{(char)first}{(char)second}{(char)first}x{(char)second}{(char)second} and enough behind it";
                if (!PieceByPiece(text).SequenceEqual(TokenizerData.V3.Encode(text, EncodeOptions.Untrusted))) Assert.Fail($"U+{first:X2} U+{second:X2}");
            }
        }
    }

    private static readonly Lazy<TokenizerFile> _file = new(static () =>
    {
        using StreamReader reader = TokenizerData.Open("deepseek-v3", "tokenizer.json.gz");
        return TokenizerFile.Read(Encoding.UTF8.GetBytes(reader.ReadToEnd()), "tokenizer.json");
    });

    private static List<int> PieceByPiece(string text)
    {
        List<int> ids = [];
        foreach (string piece in PieceList.Of(PreTokenizer.DeepSeekV3, text))
        {
            int[] merged = [.. Encoding.UTF8.GetBytes(piece).Select(static b => _file.Value.ByteIds[b])];
            ids.AddRange(merged.AsSpan(0, new PairMerger(_file.Value.Merges).Merge(merged)));
        }

        return ids;
    }
}
