using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

public class HanKanaEncoderTests
{
    private static readonly Lazy<Case> _v3 = new(static () =>
    {
        using StreamReader reader = TokenizerData.Open("deepseek-v3", "tokenizer.json.gz");
        return new Case(Encoding.UTF8.GetBytes(reader.ReadToEnd()));
    });

    // Characters whose last bytes are only two, before few others, and few others before characters whose first bytes are only a few.
    private static readonly Gen<string> _endsAlike = Gen.OneOf(
        Gen.Select(Gen.Int[0, 199], Gen.OneOf("国", "人")).Select(static (number, behind) => $"{(char)('\u4E00' + 64 * (number / 2) + 4 + number % 2)}{behind}"),
        Gen.Select(Gen.OneOf("中", "ー", "天"), Gen.Int[0, 255]).Select(static (before, number) => $"{before}{(char)('\u5B00' + number)}"))
        .Array[1, 20].Select(static parts => string.Concat(parts));

    // A vocabulary with so many tokens that begin or end inside a character that pairs of characters cannot be kept apart.
    private static readonly Lazy<Case> _manyInside = new(static () => Case.Trained(1500));

    // DeepSeek-V3 has tokens such as (last byte B1, 乐), (last byte AB, first bytes E7 97) and (青, first bytes E7 9D).
    private static readonly Gen<string> _insideV3 = Gen.Select(
        Gen.Int[0, 320], Gen.OneOf(0x31, 0x39, 0x3D, 0x2B, 0x25, 0x06), Gen.OneOf("乐", "果", "子", "幸", "ー", "青", "船", "黄", ""), Gen.OneOf(0x75C0, 0x7740, 0x8200, 0x9AC0), Gen.Int[0, 63],
        static (number, last, between, block, rest) => $"{(char)(0x4E00 + 64 * number + last)}{between}{(char)(block + rest)}").Array[1, 4].Select(static parts => string.Concat(parts));

    private static readonly Gen<string> _run = Gen.Frequency(
        (9, Gen.Int[3, 127_999].Select(static id => Encoding.UTF8.GetString(TokenizerData.V3.TokenBytes(id))).Where(static t => t.Length > 0 && t.All(HanKanaEncoder.IsOfRun))),
        (3, Gen.OneOf("的", "一", "了", "ー", "ッ", "ン", "コン", "サー", "乐", "果", "是", "不", "黄", "青")),
        (1, Gen.Char['\u4E00', '\u9FA5'].Select(static c => c.ToString()))).Array[1, 12].Select(static parts => string.Concat(parts));

    [Fact]
    public void Runs_come_out_as_merging_their_bytes_does() => _run.Sample(static run => _v3.Value.Check(run), iter: 5_000);

    [Fact]
    public void Runs_come_out_so_where_tokens_begin_and_end_inside_characters()
    {
        Assert.False(HanKanaBorders.Find(_v3.Value.File).AllMayJoin);
        _insideV3.Where(static run => run.All(HanKanaEncoder.IsOfRun)).Sample(static run => _v3.Value.Check(run), iter: 5_000);
    }

    [Fact]
    public void Runs_come_out_so_where_every_border_has_to_count_as_crossed()
    {
        Assert.True(HanKanaBorders.Find(_manyInside.Value.File).AllMayJoin);
        _endsAlike.Sample(_manyInside.Value.Check, iter: 2_000);
    }

    [Fact]
    public void Every_character_and_every_pair_around_a_border_of_the_alphabets_comes_out_so()
    {
        for (int c = 0x3040; c <= 0x9FA5; c++)
            if (HanKanaEncoder.IsOfRun((char)c)) _v3.Value.Check(((char)c).ToString());
        foreach (char a in "ぁんァヶーヽヿ一丁龤龥")
            foreach (char b in "ぁんァヶーヽヿ一丁龤龥") _v3.Value.Check($"{a}{b}{a}");
    }

    [Fact]
    public void A_run_ends_where_the_scanner_ends_it()
    {
        for (int c = 0x3000; c <= 0xA000; c++)
        {
            string text = $"中{(char)c}中";
            Assert.Equal(DeepSeekV3Scanner.EndOfPiece(text, 0), HanKanaEncoder.IsOfRun((char)c) ? 3 : 1);
        }
    }

    [Fact]
    public void Borders_that_may_be_crossed_are_a_small_part_of_a_large_vocabulary()
    {
        HanKanaBorders borders = HanKanaBorders.Find(_v3.Value.File);
        Random random = new(1);
        int joined = Enumerable.Range(0, 10_000).Count(_ => borders.MayJoin((char)random.Next(0x4E00, 0x9FA6), (char)random.Next(0x4E00, 0x9FA6)));
        // 49,000 pairs of characters on 2^19 bits.
        Assert.InRange(joined, 0, 1_500);
        Assert.True(borders.MayJoin('中', '国'));
    }

    [Fact]
    public void A_vocabulary_that_takes_whole_pieces_unmerged_is_left_to_the_general_way()
    {
        TokenizerFile file = TokenizerFile.Read(SmallTokenizer.Changed(static root => root["model"]!["ignore_merges"] = JsonValue.Create(true)), "changed");
        Assert.Null(HanKanaEncoder.Build(file, new PieceEncoder(file)));
    }

    private sealed class Case
    {
        private readonly HanKanaEncoder _encoder;

        [ThreadStatic]
        private static (Case Of, ShortPieceCache Short, TokenPairCache Pairs)? _caches;

        internal Case(byte[] json)
        {
            File = TokenizerFile.Read(json, "tokenizer.json");
            _encoder = HanKanaEncoder.Build(File, new PieceEncoder(File))!;
        }

        internal TokenizerFile File { get; }

        internal static Case Trained(int size)
        {
            List<string> corpus = [];
            _endsAlike.Sample(corpus.Add, iter: 2_000, threads: 1, seed: "0000000000000");
            using TemporaryFolder folder = new();
            BpeTrainer.Train(corpus, new BpeTrainerOptions { VocabularySize = size }, CancellationToken.None).Save(folder.Path);
            return new Case(System.IO.File.ReadAllBytes(folder.File("tokenizer.json")));
        }

        /// <summary>Encodes a run twice, without and with what the caches know by then, and once by merging its bytes.</summary>
        internal void Check(string run)
        {
            int[] ids = [.. Encoding.UTF8.GetBytes(run).Select(b => File.ByteIds[b])];
            int[] merged = ids[..new PairMerger(File.Merges).Merge(ids)];
            if (_caches?.Of != this) _caches = (this, new ShortPieceCache(), new TokenPairCache());
            for (int pass = 0; pass < 2; pass++)
            {
                List<int> list = [];
                IdBuffer output = new(new int[8], list);
                Assert.Equal(run.Length, _encoder.Encode(run, 0, _caches.Value.Short, _caches.Value.Pairs, ref output));
                Assert.Equal(merged, output.Flushed());
            }
        }
    }
}
