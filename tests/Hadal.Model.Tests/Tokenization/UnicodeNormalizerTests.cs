using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>The digests were computed with Python's unicodedata module, Unicode 14.0.</summary>
public class UnicodeNormalizerTests
{
    [Theory]
    [InlineData(
        NormalizationForm.FormC,
        "d6e7e73f03aea272f3c3e96e270e2dbd949f0e9471933072802e9728d3b9b49f",
        "2077da9b457504ecb1a39c748a0bdb76774205153f2833dd340b30a3218a6dcb")]
    [InlineData(
        NormalizationForm.FormD,
        "a378f356ebb0da395829fe7b3cdbeb065ff0cb899115e9fb1a0970d40cde3405",
        "552b4c1858697adbeb334172a4b2c85db9f3dce04c77be4943e435dca0deccd4")]
    [InlineData(
        NormalizationForm.FormKC,
        "018ce8afa8280e20798780aa38954df91433c9a2cb1cd76f7967e4d27e2c7661",
        "ec64b1555d301d1c0ff186077ca8f0239d3c9e335dd0db4a38e4a2597210e12a")]
    [InlineData(
        NormalizationForm.FormKD,
        "801f4debc274e6f1364671dc2a58129c94c673b0000732df34b7c6c198a8ec2b",
        "5bb1c0d1e98f60dae8039301aaaae4b1c29dbde2c2d5b8dafc279630a2968e63")]
    public void All_code_points_and_many_sequences_come_out_as_in_the_Unicode_database(NormalizationForm form, string singles, string sequences)
    {
        Assert.Equal(singles, Digest(CodePoints(), form));
        Assert.Equal(sequences, Digest(Sequences(), form));
    }

    private static IEnumerable<string> CodePoints()
    {
        // Nothing from the fourth plane on has a decomposition.
        for (int codePoint = 0; codePoint < 0x30000; codePoint++)
            if (codePoint is < 0xD800 or > 0xDFFF) yield return char.ConvertFromUtf32(codePoint);
    }

    /// <summary>20,000 texts of eight code points out of blocks where decomposition, reordering and composition happen.</summary>
    private static IEnumerable<string> Sequences()
    {
        int[] pool = [.. new (int First, int Last)[]
        {
            (0x41, 0x17F), (0x300, 0x36F), (0x591, 0x5C7), (0x915, 0x94D), (0x1100, 0x11FF), (0xAC00, 0xAC3F), (0x1E00, 0x1EFF), (0x3040, 0x30FF),
            (0xFB1D, 0xFB4E), (0xFF61, 0xFF9F), (0x1D15E, 0x1D1C0), (0x2F800, 0x2F81F), (0x1F240, 0x1F248),
        }.SelectMany(static r => Enumerable.Range(r.First, r.Last - r.First + 1))];
        ulong state = 1;
        for (int i = 0; i < 20_000; i++)
        {
            StringBuilder text = new();
            for (int j = 0; j < 8; j++)
            {
                state = state * 6364136223846793005 + 1442695040888963407;
                text.Append(char.ConvertFromUtf32(pool[(state >> 33) % (ulong)pool.Length]));
            }

            yield return text.ToString();
        }
    }

    private static string Digest(IEnumerable<string> texts, NormalizationForm form)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string text in texts) hash.AppendData(Encoding.UTF8.GetBytes(UnicodeNormalizer.Normalize(text, form) + "\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // Letters, marks, Hangul parts, compatibility ideographs, excluded composites, astral characters.
    private static readonly int[] _interesting = ['a', 'e', 0x301, 0x323, 0x344, 0xE9, 0x1100, 0x1161, 0x11A8, 0xAC00, 0xF900, 0x2126, 0x958, 0x915, 0x93C, 0x1D15E, 0x2F800, 0x4E2D, 0x3099, 0x304B];

    [Fact]
    public void The_short_way_to_composed_text_gives_the_same_as_the_long_one() =>
        Gen.OneOf(Gen.Int[0, 19].Select(i => _interesting[i]), Gen.Int[0x20, 0xD7FF]).Array[0, 20].Sample(points =>
        {
            string text = string.Concat(points.Select(char.ConvertFromUtf32));
            Assert.Equal(UnicodeNormalizer.Normalize(text, NormalizationForm.FormC), UnicodeNormalizer.Compose(text));
        });

    [Fact]
    public void No_single_character_is_composed_otherwise_the_short_way()
    {
        for (int c = 0x20; c <= 0x10FFFF; c = c == 0xD7FF ? 0xE000 : c + 1)
        {
            string text = char.ConvertFromUtf32(c);
            Assert.Equal(UnicodeNormalizer.Normalize(text, NormalizationForm.FormC), UnicodeNormalizer.Compose(text));
        }
    }
}
