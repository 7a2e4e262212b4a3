using System.Text;
using Hadal.Data.Shards;

namespace Hadal.Data.Tests.Shards;

public class TokenShardsTests
{
    [Theory]
    [InlineData(300)]
    [InlineData(70_000)]
    public void What_was_written_is_read_again_token_by_token_and_document_by_document(int vocabulary)
    {
        using var folder = new TemporaryFolder();
        ShardSamples.Write(folder.Path, vocabulary: vocabulary);
        using var shards = TokenShards.Open(folder.Path);
        shards.Verify(TestContext.Current.CancellationToken);
        Assert.True(shards.Shards > 3, "the sample should have several shards");
        Assert.Equal(["web", "code"], shards.Groups.Select(g => g.Name));
        Assert.Equal(120, shards.Documents);
        int[] tokens = new int[shards.RowTokens];
        var seen = new Dictionary<long, int>();
        long total = 0;
        for (long r = 0; r < shards.Rows; r++)
        {
            shards.Read(r, tokens);
            int place = 0;
            foreach (var piece in shards.Pieces(r))
            {
                Assert.Equal(place, piece.Start);
                int number = (int)(piece.Document % 60), length = 1 + number * 37 % 24;
                for (int i = 0; i < piece.Length; i++) Assert.Equal(ShardSamples.Token(piece.Document, piece.Offset + i, length, vocabulary), tokens[place++]);
                seen[piece.Document] = seen.GetValueOrDefault(piece.Document) + piece.Length;
                Assert.Equal(r < shards.FirstRow(1) ? "web.jsonl" : "code.jsonl", shards.Document(piece.Document).Source);
            }

            Assert.Equal(place, shards.Filled(r));
            Assert.All(tokens[place..], t => Assert.Equal(ShardSamples.Pad, t));
            total += place;
        }

        Assert.Equal(shards.Tokens, total);
        Assert.Equal(Enumerable.Range(0, 120).Select(d => 1 + d % 60 * 37 % 24), seen.OrderBy(s => s.Key).Select(s => s.Value));
    }

    [Fact]
    public void The_table_finds_any_of_thousands_of_documents()
    {
        using var folder = new TemporaryFolder();
        using (var writer = new TokenShardWriter(folder.Path, new TokenShardOptions { RowTokens = 4, VocabularySize = 10, EndId = 1 }))
        {
            for (int i = 0; i < 3000; i++) writer.AddDocument($"é\n{i}", "a");
            writer.AddRow("web", [new RowPiece(2999, 3, 5, 0, 2)], [4, 1]);
            writer.Complete();
        }

        using var shards = TokenShards.Open(folder.Path);
        Assert.Equal(["é\n0", "é\n1023", "é\n1024", "é\n2999"], new long[] { 0, 1023, 1024, 2999 }.Select(n => shards.Document(n).Id));
        Assert.Equal([new RowPiece(2999, 3, 5, 0, 2)], shards.Pieces(0));
    }

    [Fact]
    public void The_same_rows_give_the_same_bytes_and_nothing_else_stays_in_the_folder()
    {
        using var one = new TemporaryFolder();
        using var two = new TemporaryFolder();
        ShardSamples.Write(one.Path);
        ShardSamples.Write(two.Path, documents: 200);
        ShardSamples.Write(two.Path);
        Assert.Equal(Contents(one.Path), Contents(two.Path));
    }

    [Fact]
    public void A_writer_that_is_given_up_leaves_no_dataset()
    {
        using var folder = new TemporaryFolder();
        ShardSamples.Write(folder.Path);
        using (var writer = new TokenShardWriter(folder.Path, new TokenShardOptions { RowTokens = 4, VocabularySize = 10, EndId = 1 }))
            writer.AddRow("web", [new RowPiece(0, 0, 0, 0, 2)], [4, 1]);
        Assert.False(TokenShards.IsDataset(folder.Path));
        Assert.Contains("is missing", Assert.Throws<DataException>(() => TokenShards.Open(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_that_contradicts_itself_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var writer = new TokenShardWriter(folder.Path, new TokenShardOptions { RowTokens = 4, VocabularySize = 10, EndId = 1 });
        Assert.Throws<ArgumentException>(() => writer.AddRow("web", [new RowPiece(0, 0, 0, 0, 2)], [1, 2, 3]));
        Assert.Throws<ArgumentException>(() => writer.AddRow("web", [new RowPiece(0, 0, 0, 0, 5)], [1, 2, 3, 4, 5]));
        Assert.Throws<ArgumentException>(() => writer.AddRow("web", [new RowPiece(0, 0, 0, 1, 2)], [1, 2]));
        Assert.Throws<ArgumentException>(() => writer.AddRow("web", [new RowPiece(0, 0, 0, 0, 1)], [10]));
        writer.AddRow("web", [new RowPiece(0, 0, 0, 0, 1)], [9]);
        Assert.Throws<InvalidOperationException>(writer.Complete);
    }

    [Fact]
    public void Every_file_that_is_missing_or_cut_is_named()
    {
        using var folder = new TemporaryFolder();
        ShardSamples.Write(folder.Path);
        foreach (string file in Directory.GetFiles(folder.Path).Where(f => Path.GetFileName(f) != "dataset.json"))
        {
            byte[] bytes = File.ReadAllBytes(file);
            File.Delete(file);
            Refused(file);
            File.WriteAllBytes(file, bytes[..^1]);
            Refused(file);
            File.WriteAllBytes(file, bytes);
        }

        TokenShards.Open(folder.Path).Dispose();

        void Refused(string file)
        {
            var e = Assert.Throws<DataException>(() => TokenShards.Open(folder.Path));
            Assert.Equal(file, e.Path);
            Assert.Contains(Path.GetFileName(file), e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_found_by_verifying()
    {
        using var folder = new TemporaryFolder();
        ShardSamples.Write(folder.Path, documents: 20);
        foreach (string file in Directory.GetFiles(folder.Path).Where(f => Path.GetFileName(f) != "dataset.json"))
        {
            byte[] bytes = File.ReadAllBytes(file);
            for (int at = 0; at < bytes.Length; at += 1 + bytes.Length / 7)
            {
                byte[] damaged = [.. bytes];
                damaged[at] ^= 4;
                File.WriteAllBytes(file, damaged);
                Assert.Throws<DataException>(() =>
                {
                    using var shards = TokenShards.Open(folder.Path);
                    shards.Verify(TestContext.Current.CancellationToken);
                });
            }

            File.WriteAllBytes(file, bytes);
        }
    }

    [Theory]
    [InlineData("\"row_tokens\": 16", "\"row_tokens\": 2000000000")]
    [InlineData("\"row_tokens\": 16", "\"row_tokens\": -16")]
    [InlineData("\"row_tokens\": 16", "\"row_tokens\": null")]
    [InlineData("\"version\": 1", "\"version\": 2")]
    [InlineData("\"u16\"", "\"u32\"")]
    [InlineData("\"vocabulary_size\": 300", "\"vocabulary_size\": 0")]
    [InlineData("\"end_id\": 1", "\"end_id\": 300")]
    [InlineData("\"name\": \"shard-00000\"", "\"name\": \"../shard-00000\"")]
    [InlineData("\"group\": \"web\"", "\"group\": \"wob\"")]
    [InlineData("\"shards\": [", "\"shards\": null, \"other\": [")]
    [InlineData("\"shards\": [", "\"shards\": [ null, ")]
    [InlineData("{", "[")]
    public void A_description_that_contradicts_itself_is_refused(string original, string changed)
    {
        using var folder = new TemporaryFolder();
        ShardSamples.Write(folder.Path);
        string path = folder.File("dataset.json"), text = File.ReadAllText(path);
        int at = text.IndexOf(original, StringComparison.Ordinal);
        Assert.True(at >= 0, original);
        File.WriteAllText(path, text[..at] + changed + text[(at + original.Length)..]);
        Assert.Equal(path, Assert.Throws<DataException>(() => TokenShards.Open(folder.Path)).Path);
    }

    private static string Contents(string folder)
    {
        var all = new StringBuilder();
        foreach (string file in Directory.GetFiles(folder).Order(StringComparer.Ordinal)) all.Append(Path.GetFileName(file)).Append(':').AppendLine(Convert.ToBase64String(File.ReadAllBytes(file)));
        return all.ToString();
    }
}
