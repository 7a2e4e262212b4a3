using Hadal.Data.Sources;

namespace Hadal.Data.Tests.Sources;

public class InputListingTests
{
    [Fact]
    public void Files_come_in_ordinal_order_with_kind_packing_and_length()
    {
        using var folder = new TemporaryFolder();
        foreach (string name in (string[])["b.jsonl.gz", "a/z.md", "B.txt.zst", "code.py", "page.XHTML", "t.parquet", "t.csv.br", "w.warc.gz", "none.bin", "t.parquet.gz", "data.json"]) folder.Write(name, "12345");
        IReadOnlyList<InputFile> files = InputListing.Find([folder.Path]);
        Assert.Equal(["B.txt.zst", "a/z.md", "b.jsonl.gz", "code.py", "data.json", "page.XHTML", "t.csv.br", "t.parquet", "w.warc.gz"], files.Select(f => f.Id));
        Assert.Equal(
            [InputKind.Text, InputKind.Text, InputKind.JsonLines, InputKind.SourceCode, InputKind.Json, InputKind.Html, InputKind.Csv, InputKind.Parquet, InputKind.Warc],
            files.Select(f => f.Kind));
        Assert.Equal([InputPacking.Zstandard, InputPacking.None, InputPacking.Gzip], files.Take(3).Select(f => f.Packing));
        Assert.Equal(InputPacking.Brotli, files[6].Packing);
        Assert.All(files, f => Assert.Equal(5, f.Bytes));
        Assert.Equal(["code.py"], InputListing.Find([folder.Path], new InputOptions { Kinds = [InputKind.SourceCode] }).Select(f => f.Id));
    }

    [Fact]
    public void Hidden_and_tool_folders_are_not_entered()
    {
        using var folder = new TemporaryFolder();
        foreach (string name in (string[])[".git/x.txt", "p/node_modules/x.js", "p/bin/x.cs", "p/obj/x.cs", "p/.venv/x.py", ".hidden.txt", "p/main.cs"]) folder.Write(name, "x");
        Assert.Equal(["p/main.cs"], InputListing.Find([folder.Path]).Select(f => f.Id));
    }

    [Fact]
    public void Odd_names_are_found_and_read()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows forbids such names.");
        using var folder = new TemporaryFolder();
        string[] names = ["-rf.txt", "a b.txt", "new\nline.txt", "tab\t\"quote\".txt", "日本.txt", "*.txt", "dir with blanks/-x.txt"];
        foreach (string name in names) folder.Write(name, name);
        IReadOnlyList<InputFile> files = InputListing.Find([folder.Path]);
        Assert.Equal(names.Order(StringComparer.Ordinal), files.Select(f => f.Id));
        Assert.All(files, f => Assert.Equal(f.Id, Assert.Single(InputReader.Read(f)).Text));
    }

    [Fact]
    public void Links_are_followed_to_files_and_never_to_folders()
    {
        using var folder = new TemporaryFolder();
        folder.Write("real/a.txt", "words");
        File.CreateSymbolicLink(folder.File("to-file.txt"), folder.File("real", "a.txt"));
        File.CreateSymbolicLink(folder.File("to-itself.txt"), folder.File("to-itself.txt"));
        File.CreateSymbolicLink(folder.File("to-nothing.txt"), folder.File("absent.txt"));
        Directory.CreateSymbolicLink(folder.File("real", "up"), folder.Path);
        var report = new ReadReport();
        IReadOnlyList<InputFile> files = InputListing.Find([folder.Path], null, report);
        Assert.Equal(["real/a.txt", "to-file.txt"], files.Select(f => f.Id));
        Assert.All(files, f => Assert.Equal(5, f.Bytes));
        Assert.Equal(3, report.Count(ReadProblemKind.PathSkipped));
    }

    [Fact]
    public void A_file_counts_once_and_equal_names_of_two_folders_are_told_apart()
    {
        using var folder = new TemporaryFolder();
        folder.Write("one/a.txt", "1");
        folder.Write("two/a.txt", "2");
        Assert.Equal(["a.txt", "@2/a.txt"], InputListing.Find([folder.File("one"), folder.File("two")]).Select(f => f.Id));
        Assert.Single(InputListing.Find([folder.File("one"), folder.File("one", "a.txt")]));
    }

    [Fact]
    public void An_unreadable_path_is_reported_and_the_rest_is_read()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.UserName == "root", "This user may read everything.");
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TemporaryFolder();
        folder.Write("a.txt", "words");
        File.SetUnixFileMode(folder.Write("closed.txt", "words"), UnixFileMode.None);
        Directory.CreateDirectory(folder.File("shut"), UnixFileMode.None);
        var report = new ReadReport();
        Assert.Equal(["a.txt"], InputListing.Find([folder.Path], null, report).Select(f => f.Id));
        Assert.Equal(2, report.Count(ReadProblemKind.PathSkipped));
        Directory.Delete(folder.File("shut"));
    }

    [Fact]
    public void A_missing_path_and_nothing_left_are_errors()
    {
        using var folder = new TemporaryFolder();
        folder.Write("empty.txt", "");
        folder.Write("x.bin", "x");
        Assert.Contains("does not exist", Assert.Throws<DataException>(() => InputListing.Find([folder.File("no")])).Message, StringComparison.Ordinal);
        Assert.Contains("1 files are empty, 1 have endings", Assert.Throws<DataException>(() => InputListing.Find([folder.Path])).Message, StringComparison.Ordinal);
        Assert.Throws<DataException>(() => InputListing.Find([]));
    }
}
