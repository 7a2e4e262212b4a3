using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>The fast encoder against the scanner's pieces encoded one by one by a tokenizer that uses no cache between them.</summary>
public class DeepSeekV3EncoderTests
{
    private static readonly Gen<string> _mostlyAscii = Gen.Frequency(
        (6, Gen.Char['a', 'z'].Array[1, 18].Select(static c => new string(c))),
        (4, Gen.OneOf(" ", " ", "\n", "\r\n", "\t", "  ", "    ", ".", ",", "();", "\"", "_", "'s", "...", "=>", "=================", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n")),
        (1, Gen.OneOf("1", "12", "1234", "é", "\u0301", "中文", "ん", "”", "—", "😀", "\U00010400", "\0", "\u0001", "\u007F", "\u00A0", "\u8000", "\uFF01")))
        .Array[1, 40].Select(static parts => string.Concat(parts));

    [Fact]
    public void Ids_are_those_of_the_pieces_one_by_one()
        => Gen.Frequency((3, _mostlyAscii), (1, TextGen.WellFormed)).Sample(
            static text => Assert.Equal(PieceByPiece(text), TokenizerData.V3.Encode(text, EncodeOptions.Untrusted)), iter: 5_000);

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

    // A piece alone is shorter than the blocks of the fast path, or longer than what it keeps.
    private static List<int> PieceByPiece(string text)
    {
        List<int> ids = [];
        foreach (string piece in PieceList.Of(PreTokenizer.DeepSeekV3, text)) TokenizerData.V3.Encode(piece, ids, EncodeOptions.Untrusted);
        return ids;
    }
}
