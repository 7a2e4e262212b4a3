using System.Text;
using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

public class HanKanaTrieTests
{
    private static readonly Lazy<(TokenizerFile File, TokenSplits Splits, HanKanaTrie Trie)> _v3 = new(static () =>
    {
        using StreamReader reader = TokenizerData.Open("deepseek-v3", "tokenizer.json.gz");
        TokenizerFile file = TokenizerFile.Read(Encoding.UTF8.GetBytes(reader.ReadToEnd()), "tokenizer.json");
        return (file, TokenSplits.Find(file.Merges, file.ByteIds, file.Vocabulary.Size)!, HanKanaTrie.Build(file)!);
    });

    // Characters of the vocabulary's own tokens, joined at random, so that long tokens and their parts meet; and a few rare characters.
    private static readonly Gen<string> _run = Gen.Frequency(
        (9, Gen.Int[3, 127_999].Select(static id => _v3.Value.File.Vocabulary.Has(id) ? Encoding.UTF8.GetString(_v3.Value.File.Vocabulary.Bytes(id)) : "")
            .Where(static t => t.Length > 0 && !t.AsSpan().ContainsAnyExceptInRange('\u3041', '\u9FA5'))),
        (3, Gen.OneOf("的", "一", "了", "ー", "ッ", "ン", "是", "不")),
        (1, Gen.Char['\u4E00', '\u9FA5'].Select(static c => c.ToString()))).Array[1, 12].Select(static parts => string.Concat(parts));

    [Fact]
    public void Every_token_of_DeepSeek_V3_is_known_to_be_what_its_bytes_merge_to()
    {
        (TokenizerFile file, TokenSplits splits, _) = _v3.Value;
        PairMerger merger = new(file.Merges);
        foreach ((_, _, _, int joined) in file.Merges.All())
        {
            int[] ids = [.. file.Vocabulary.Bytes(joined).ToArray().Select(b => file.ByteIds[b])];
            Assert.Equal(merger.Merge(ids) == 1, splits.IsStable(joined));
        }
    }

    [Fact]
    public void Pairs_are_stable_exactly_when_merging_leaves_them()
        => Gen.Select(Gen.Int[3, 127_999], Gen.Int[3, 127_999]).Sample(static (left, right) =>
        {
            (TokenizerFile file, TokenSplits splits, _) = _v3.Value;
            if (!splits.IsStable(left) || !splits.IsStable(right)) return;
            int[] ids = Bytes(file, [.. file.Vocabulary.Bytes(left), .. file.Vocabulary.Bytes(right)]);
            int count = new PairMerger(file.Merges).Merge(ids);
            Assert.Equal(count == 2 && ids[0] == left && ids[1] == right, splits.AreStable(left, right));
        }, iter: 20_000);

    [Fact]
    public void Runs_come_out_as_merging_their_bytes_does()
    {
        int encoded = 0;
        _run.Sample(run =>
        {
            (TokenizerFile file, _, HanKanaTrie trie) = _v3.Value;
            int[] ids = new int[run.Length];
            int count = trie.Encode(run, new TokenPairCache(), ids, out _);
            if (count < 0) return;
            Interlocked.Increment(ref encoded);
            int[] merged = Bytes(file, Encoding.UTF8.GetBytes(run));
            Assert.Equal(merged[..new PairMerger(file.Merges).Merge(merged)], ids[..count]);
        }, iter: 5_000);
        Assert.True(encoded > 2_000, $"only {encoded} of 5000 runs");
    }

    [Theory]
    [InlineData("中")]
    [InlineData("ー")]
    [InlineData("中国人民")]
    [InlineData("哈")]
    public void Work_grows_with_the_length_and_no_faster(string part)
    {
        Assert.InRange(Steps(64_000), 1, 2.2 * Steps(32_000));

        int Steps(int length)
        {
            string run = string.Concat(Enumerable.Repeat(part, length / part.Length));
            _v3.Value.Trie.Encode(run, new TokenPairCache(), new int[run.Length], out int steps);
            return steps;
        }
    }

    private static int[] Bytes(TokenizerFile file, byte[] bytes) => [.. bytes.Select(b => file.ByteIds[b])];
}
