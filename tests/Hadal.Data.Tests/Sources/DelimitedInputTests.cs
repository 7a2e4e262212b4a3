using Hadal.Data.Sources;

namespace Hadal.Data.Tests.Sources;

public class DelimitedInputTests
{
    [Fact]
    public void Quotes_line_ends_and_missing_fields_are_read_as_rfc_4180_says()
    {
        using var folder = new TemporaryFolder();
        var report = new InputReaderTests.Problems();
        string path = folder.Write("t.csv", "id,Text,lang,source\r\n1,\"a, \"\"b\"\"\r\nc\",en,s\r\n,plain \"quote\",,\r\n\r\n2,short\r\n3,\"x\"y,,\r\n4,\"\",ja,\r\n5,last,,");
        var documents = InputReaderTests.Read(path, report).ToList();
        Assert.Equal(["a, \"b\"\r\nc", "plain \"quote\"", "\"x\"y", "", "last"], documents.Select(d => d.Text));
        Assert.Equal(["1", "t.csv:4", "3", "4", "5"], documents.Select(d => d.Id));
        Assert.Equal(("en", "s", "t.csv:2"), (documents[0].Language, documents[0].Source, documents[0].Place));
        Assert.Equal(("t.csv", null), (documents[1].Source, documents[1].Language));
        ReadProblem bad = Assert.Single(report.All);
        Assert.Equal((6L, "the row has 2 values, not 4"), (bad.Line!.Value, bad.Reason));
    }

    [Theory]
    [InlineData("a.csv", "id;text\n1;x\n")]
    [InlineData("a.csv", "id|text\n1|x\n")]
    [InlineData("a.tsv", "id\ttext\n1\tx")]
    [InlineData("a.csv", "\uFEFFtext\nx\n")]
    public void The_separator_is_told_from_the_first_row(string name, string content)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal("x", Assert.Single(InputReaderTests.Read(folder.Write(name, content), new ReadReport())).Text);
    }

    [Fact]
    public void An_absurd_row_is_passed_over_and_open_quotes_are_reported()
    {
        using var folder = new TemporaryFolder();
        var report = new InputReaderTests.Problems();
        string path = folder.Write("t.csv", "id,text\n1,\"" + new string('x', 3_000_000) + "\n\",\n2,good\n3,\"open\n4,swallowed");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("good", Assert.Single(InputReaderTests.Read(path, report, new InputOptions { MaximumLineBytes = 100_000 })).Text);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
        Assert.Equal([2L, 5L], report.All.Select(p => p.Line));
    }

    [Fact]
    public void A_table_without_the_column_is_reported_with_the_columns_that_it_has()
    {
        using var folder = new TemporaryFolder();
        var report = new InputReaderTests.Problems();
        Assert.Empty(InputReaderTests.Read(folder.Write("t.csv", "question,answer\n1,2\n"), report));
        Assert.Contains("it names question, answer", Assert.Single(report.All).Reason, StringComparison.Ordinal);
        Assert.Equal("1", Assert.Single(InputReaderTests.Read(folder.Write("t.csv", "question,answer\n1,2\n"), report, new InputOptions { TextField = "question" })).Text);
    }
}
