using Hadal.Data.Exports;
using Hadal.Data.Sources;

namespace Hadal.Data.Tests.Exports;

public class DocumentWriterTests
{
    private static readonly ExportDocument[] _documents =
    [
        new("a", "plain \"text\"\n\t\u0000 é 日本 \U0001F30A <&>", "s", "en"),
        new("b", "", "t", null, [new("stage", "quality"), new("rule", "short")]),
        new("c", "half \uD83D", "s", "ja"),
    ];

    [Theory]
    [InlineData("out.jsonl")]
    [InlineData("deeper/out.jsonl.gz")]
    [InlineData("out.jsonl.zst")]
    [InlineData("out.parquet")]
    public void What_is_written_is_read_back_and_written_alike_again(string name)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File(name.Split('/'));
        Write(path);
        byte[] first = File.ReadAllBytes(path);
        var report = new ReadReport();
        var read = InputReader.Read(Assert.Single(InputListing.Find([path])), null, report).ToList();
        Assert.Equal(0, report.Total);
        Assert.Equal(_documents.Select(d => (d.Id, Whole(d.Text), d.Source, d.Language)), read.Select(d => (d.Id, d.Text, d.Source, d.Language)));
        Write(path);
        Assert.Equal(first, File.ReadAllBytes(path));
        Assert.DoesNotContain(folder.Content(), n => n.EndsWith(".partial", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_was_not_completed_leaves_nothing_and_the_old_one_stays()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("out.jsonl", "old");
        using (var writer = DocumentWriter.Create(path)) writer.Write(_documents[0]);
        Assert.Equal(["out.jsonl"], folder.Content());
        Assert.Equal("old", File.ReadAllText(path));
    }

    [Fact]
    public async Task Another_library_reads_the_same_rows_from_parquet()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("out.parquet");
        var random = new Random(5);
        var documents = new List<ExportDocument>();
        for (int i = 0; i < 45_000; i++)
        {
            // Languages in long and short runs, texts of no length, of little and of several pages.
            string text = i % 9000 == 7 ? new string('界', 700_000) : new string((char)random.Next(0x20, 0x3000), random.Next(0, 40));
            documents.Add(new ExportDocument($"d{i}", text, $"s{i % 7}", i / 1000 % 2 == 0 ? null : i % 3 == 0 ? null : "ja", i < 10 ? null : [new("rule", $"r{i % 11}")]));
        }

        using (var writer = DocumentWriter.Create(path))
        {
            foreach (ExportDocument document in documents) writer.Write(document);
            writer.Complete();
        }

        await using Parquet.ParquetReader reader = await Parquet.ParquetReader.CreateAsync(path, null, TestContext.Current.CancellationToken);
        Assert.Equal(["id", "text", "source", "language", "rule"], reader.Schema.DataFields.Select(f => f.Name));
        Assert.All(reader.Schema.DataFields, f => Assert.Equal(typeof(ReadOnlyMemory<char>), f.ClrType));
        Assert.Equal(documents.Count, reader.Metadata!.NumRows);
        string?[][] columns = new string?[5][];
        Assert.Equal(1, reader.RowGroupCount);
        for (int c = 0; c < 5; c++)
        {
            columns[c] = new string?[documents.Count];
            await reader.RowGroups[0].ReadAsync(reader.Schema.DataFields[c], columns[c].AsMemory(), null, TestContext.Current.CancellationToken);
        }

        Assert.Equal(documents.Select(d => d.Id), columns[0]);
        Assert.Equal(documents.Select(d => d.Text), columns[1]);
        Assert.Equal(documents.Select(d => d.Source), columns[2]);
        Assert.Equal(documents.Select(d => d.Language), columns[3]);
        Assert.Equal(documents.Select(d => d.Extra?[0].Value), columns[4]);
        Assert.Equal(documents.Select(d => (d.Id, d.Text, d.Source, d.Language)), InputReader.Read(Assert.Single(InputListing.Find([path]))).Select(d => (d.Id, d.Text, d.Source, d.Language)));
    }

    [Fact]
    public void Row_groups_are_bounded_and_fix_the_columns()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("out.parquet"), text = new('x', 30 << 20);
        using (var writer = DocumentWriter.Create(path))
        {
            for (int i = 0; i < 4; i++) writer.Write(new ExportDocument($"{i}", text, "s", null));
            Assert.Contains("after the first row group", Assert.Throws<DataException>(() => writer.Write(new ExportDocument("4", "", "s", null, [new("late", "")]))).Message, StringComparison.Ordinal);
            Assert.Contains("like one of the document's own", Assert.Throws<DataException>(() => writer.Write(new ExportDocument("4", "", "s", null, [new("text", "")]))).Message, StringComparison.Ordinal);
            writer.Complete();
        }

        Assert.InRange(new FileInfo(path).Length, 1, 100_000);
        Assert.Equal(4, InputReader.Read(Assert.Single(InputListing.Find([path])), new InputOptions { ExpansionAllowance = 200_000_000 }).Count());
        using (var empty = DocumentWriter.Create(path)) empty.Complete();
        var report = new ReadReport();
        Assert.Empty(InputReader.Read(Assert.Single(InputListing.Find([path])), null, report));
        Assert.Equal(0, report.Total);
    }

    [Fact]
    public void A_name_without_a_format_is_refused() =>
        Assert.Contains(".jsonl.zst", Assert.Throws<DataException>(() => DocumentWriter.Create("out.xml")).Message, StringComparison.Ordinal);

    // Half of a pair cannot be written as UTF-8.
    private static string Whole(string text) => text.EndsWith('\uD83D') ? text[..^1] + '\uFFFD' : text;

    private static void Write(string path)
    {
        using var writer = DocumentWriter.Create(path);
        foreach (ExportDocument document in _documents) writer.Write(document);
        writer.Complete();
        Assert.Equal(3, writer.Count);
    }
}
