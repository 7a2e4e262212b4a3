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
