using System.IO.Compression;
using System.Text;
using Hadal.Data.Sources;

namespace Hadal.Data.Tests.Sources;

public class TextFilesTests
{
    [Fact]
    public void A_directory_is_read_in_ordinal_order_of_relative_paths()
    {
        using var folder = new TemporaryFolder();
        folder.Write("b.txt", "bee");
        folder.Write("a/z.md", "zed");
        folder.Write("B.txt", "Bee");
        folder.Write("a.jsonl", "{\"text\":\"one\",\"id\":\"x\"}\n\n{\"id\":7,\"text\":\"two\"}\n{\"text\":\"\"}\n{\"text\":\"three\"}");
        folder.Write("code.cs", "class C;");
        folder.Write(".git/config.txt", "hidden");
        var documents = TextFiles.Open([folder.Path]).Read().ToList();
        Assert.Equal(["B.txt", "a.jsonl:x", "a.jsonl:7", "a.jsonl:5", "a/z.md", "b.txt"], documents.Select(d => d.Id));
        Assert.Equal(["Bee", "one", "two", "three", "zed", "bee"], documents.Select(d => d.Text));
        Assert.Contains(TextFiles.Open([folder.Path], new TextFilesOptions { TextExtensions = [".txt", ".cs"] }).Read(), d => d.Id == "code.cs");
    }

    [Fact]
    public void Invalid_utf8_is_replaced_and_byte_order_marks_and_carriage_returns_go()
    {
        using var folder = new TemporaryFolder();
        string text = folder.Write("a.txt", [0xEF, 0xBB, 0xBF, (byte)'a', 0xFF, (byte)'b', (byte)'\r', (byte)'\n']);
        string lines = folder.Write("b.jsonl", [0xEF, 0xBB, 0xBF, .. "{\"text\":\"a"u8, 0xFF, .. "b\"}\r\n"u8]);
        string wide = folder.Write("c.txt", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("wide")]);
        Assert.Equal(["a\uFFFDb\n", "a\uFFFDb", "wide"], TextFiles.Open([text, lines, wide]).Read().Select(d => d.Text));
    }

    [Fact]
    public void A_long_file_is_cut_at_line_ends_into_documents_that_make_up_the_whole()
    {
        using var folder = new TemporaryFolder();
        var random = new Random(3);
        var whole = new StringBuilder();
        while (whole.Length < 20_000) whole.Append(random.Next(12) == 0 ? "\n" : random.Next(5) == 0 ? " " : "\U0001F30Aé");
        string path = folder.Write("long.txt", whole.ToString());
        var documents = TextFiles.Open([path], new TextFilesOptions { MaximumDocumentCharacters = 1000 }).Read().ToList();
        Assert.InRange(documents.Count, 20, 45);
        Assert.Equal(whole.ToString(), string.Concat(documents.Select(d => d.Text)));
        Assert.All(documents, d => Assert.InRange(d.Text.Length, 1, 1000));
        Assert.All(documents.SkipLast(1), d => Assert.EndsWith("\n", d.Text, StringComparison.Ordinal));
        Assert.Equal("long.txt#1", documents[1].Id);
    }

    [Fact]
    public void A_cut_never_falls_inside_a_surrogate_pair()
    {
        using var folder = new TemporaryFolder();
        string whole = "x" + string.Concat(Enumerable.Repeat("\U0001F30A", 500));
        string path = folder.Write("waves.txt", whole);
        var documents = TextFiles.Open([path], new TextFilesOptions { MaximumDocumentCharacters = 64 }).Read().ToList();
        Assert.Equal(whole, string.Concat(documents.Select(d => d.Text)));
        Assert.All(documents, d => Assert.False(char.IsLowSurrogate(d.Text[0])));
    }

    [Fact]
    public void Bad_lines_are_left_out_counted_and_named()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("mixed.jsonl", string.Join('\n', Enumerable.Range(0, 9).Select(_ => "{\"txt\":1}")) + "\n{\"text\":\"good\"} extra\n[1]\n\"a\"\n{\"text\":\"\\ud800\"}\n{\"text\":\"good\"}\n{\"text\":\"cut");
        var warnings = new List<string>();
        Document document = Assert.Single(TextFiles.Open([path]).Read(warnings.Add));
        Assert.Equal("good", document.Text);
        Assert.Equal(6, warnings.Count);
        Assert.Contains($"{path}:1: it has no string \"text\"", warnings[0], StringComparison.Ordinal);
        Assert.Contains("14 bad lines", warnings[5], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"text\":\"a\"} {\"text\":\"b\"}")]
    [InlineData("[1]")]
    [InlineData("\"a\"")]
    [InlineData("{\"text\":\"\\ud800\"}")]
    [InlineData("{\"text\":null}")]
    [InlineData("{\"text\":\"a\"")]
    [InlineData("not json")]
    public void A_file_of_bad_lines_is_one_clear_error(string line)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("bad.jsonl", line + "\n" + line);
        DataException e = Assert.Throws<DataException>(() => TextFiles.Open([path]).Read().Count());
        Assert.Contains($"{path}:1:", e.Message, StringComparison.Ordinal);
        Assert.Contains("2 bad lines", e.Message, StringComparison.Ordinal);
        Assert.Equal(path, e.Path);
    }

    [Fact]
    public void An_overlong_line_is_a_bad_line_and_the_next_one_is_read()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("long.jsonl", $"{{\"text\":\"{new string('x', 300_000)}\"}}\n{{\"text\":\"short\"}}\n{{\"text\":\"{new string('y', 2000)}\"}}\n");
        var warnings = new List<string>();
        Assert.Equal(["short"], TextFiles.Open([path], new TextFilesOptions { MaximumLineBytes = 1000 }).Read(warnings.Add).Select(d => d.Text));
        Assert.Equal(2, warnings.Count);
        Assert.Contains(":1: the line is longer than 1000 bytes", warnings[0], StringComparison.Ordinal);
        Assert.Contains(":3:", warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Compressed_lines_are_read_and_a_cut_archive_is_an_error()
    {
        using var folder = new TemporaryFolder();
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var random = new Random(1);
            for (int i = 0; i < 2000; i++) gzip.Write(Encoding.UTF8.GetBytes($"{{\"text\":\"document {i} {random.NextInt64():x}\"}}\n"));
        }

        string good = folder.Write("good.jsonl.gz", packed.ToArray());
        Assert.Equal(2000, TextFiles.Open([good]).Read().Count());
        string twice = folder.Write("twice.jsonl.gz", [.. packed.ToArray(), .. packed.ToArray()]);
        Assert.Equal(4000, TextFiles.Open([twice]).Read().Count());
        foreach (int length in (int[])[5, 1000, (int)packed.Length / 2, (int)packed.Length - 9, (int)packed.Length - 1])
        {
            string cut = folder.Write("cut.jsonl.gz", packed.ToArray()[..length]);
            DataException e = Assert.Throws<DataException>(() => TextFiles.Open([cut]).Read().Count());
            Assert.Contains($"{cut} is damaged or cut short", e.Message, StringComparison.Ordinal);
        }

        string fake = folder.Write("fake.jsonl.gz", "{\"text\":\"not packed\"}");
        Assert.Contains(fake, Assert.Throws<DataException>(() => TextFiles.Open([fake]).Read().Count()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_binary_file_is_an_error_when_named_and_a_warning_when_found()
    {
        using var folder = new TemporaryFolder();
        string binary = folder.Write("data.txt", [1, 2, 0, 3]);
        folder.Write("text.txt", "words");
        Assert.Contains(binary, Assert.Throws<DataException>(() => TextFiles.Open([binary]).Read().Count()).Message, StringComparison.Ordinal);
        var warnings = new List<string>();
        Assert.Equal(["words"], TextFiles.Open([folder.Path]).Read(warnings.Add).Select(d => d.Text));
        Assert.Contains(binary, Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_path_and_an_empty_corpus_are_one_clear_sentence()
    {
        using var folder = new TemporaryFolder();
        string missing = Path.Combine(folder.Path, "absent");
        Assert.Equal($"{missing} does not exist; name a file or a directory of text.", Assert.Throws<DataException>(() => TextFiles.Open([missing])).Message);
        Assert.Contains(folder.Path, Assert.Throws<DataException>(() => TextFiles.Open([folder.Path])).Message, StringComparison.Ordinal);
        folder.Write("blank.txt", " \n ");
        Assert.Contains("corpus is empty", Assert.Throws<DataException>(() => TextFiles.Open([folder.Path]).Read().Count()).Message, StringComparison.Ordinal);
        Assert.Throws<DataException>(() => TextFiles.Open([]));
        Assert.Throws<DataException>(() => TextFiles.Open([""]));
    }

    [Fact]
    public void An_unreadable_directory_is_one_clear_sentence()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.UserName == "root", "This user may read everything.");
        using var folder = new TemporaryFolder();
        string closed = Path.Combine(folder.Path, "closed");
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(closed, UnixFileMode.None);
            try
            {
                DataException e = Assert.Throws<DataException>(() => TextFiles.Open([folder.Path]));
                Assert.Contains(closed, e.Message, StringComparison.Ordinal);
            }
            finally
            {
                File.SetUnixFileMode(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
    }

    [Fact]
    public void Mutated_lines_are_read_or_refused_never_anything_else()
    {
        using var folder = new TemporaryFolder();
        byte[] original = Encoding.UTF8.GetBytes("{\"id\":\"a\",\"meta\":{\"k\":[1,2.5e3,null,true]},\"text\":\"caf\\u00e9 \\ud83c\\udf0a ok\"}");
        var random = new Random(5);
        var file = new MemoryStream();
        for (int i = 0; i < 10_000; i++)
        {
            byte[] mutant = [.. original];
            for (int k = random.Next(1, 4); k > 0; k--) mutant[random.Next(mutant.Length)] = (byte)random.Next(256);
            file.Write(mutant);
            file.Write("\n"u8);
        }

        string path = folder.Write("mutants.jsonl", file.ToArray());
        int good = TextFiles.Open([path]).Read().Count();
        Assert.InRange(good, 500, 9500);
    }
}
