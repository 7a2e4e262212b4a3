using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Hadal.Data.Sources;

namespace Hadal.Data.Tests.Sources;

public class InputReaderTests
{
    private static readonly string _data = Path.Combine(GoldenData.Root, "tests", "Hadal.Data.Tests", "Sources", "Data");

    [Fact]
    public void Every_good_line_of_the_bad_file_is_kept_and_every_damaged_one_is_reported_with_its_number()
    {
        var report = new Problems();
        var documents = InputReader.Read(Assert.Single(InputListing.Find([Path.Combine(_data, "badlines.jsonl.gz")])), null, report).ToList();
        var good = new List<int>();
        using (JsonDocument truth = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_data, "badlines-truth.json"))))
        {
            foreach (JsonElement line in truth.RootElement.EnumerateArray())
            {
                string what = line.GetProperty("what").GetString()!;

                // The object after a misplaced mark is whole, and a repeated name is for the pipeline to judge.
                if (what.StartsWith("good", StringComparison.Ordinal) || what.StartsWith("byte order mark", StringComparison.Ordinal) || what == "repeated id") good.Add(line.GetProperty("line").GetInt32());
            }
        }

        Assert.Equal(good.Select(n => $"badlines.jsonl.gz:{n}"), documents.Select(d => d.Place));
        Assert.Equal([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 23], report.All.Where(p => p.Kind == ReadProblemKind.RecordSkipped).Select(p => (int)p.Line!));
        Assert.Equal([18], report.All.Where(p => p.Kind == ReadProblemKind.TextRepaired).Select(p => (int)p.Line!));
        Assert.Equal("nul \0 inside", documents[2].Text);
        Assert.Equal("escaped pair \U0001F600 ok", documents[1].Text);
        Assert.True(documents.Single(d => d.Id == "b21").Text.Length > 3_000_000 - 100);
        Assert.Equal(("b00", "bad/ok", "en"), (documents[0].Id, documents[0].Source, documents[0].Language));
    }

    [Fact]
    public void Invalid_text_can_be_replaced_instead()
    {
        var report = new Problems();
        var options = new InputOptions { InvalidText = InvalidText.Replace };
        var documents = InputReader.Read(Assert.Single(InputListing.Find([Path.Combine(_data, "badlines.jsonl.gz")])), options, report).ToList();
        Assert.Equal("lone high surrogate \uFFFD end", documents.Single(d => d.Id == "b06").Text);
        Assert.Contains("\uFFFD", documents.Single(d => d.Id == "b04").Text, StringComparison.Ordinal);
        Assert.Equal([5, 6, 7, 8, 18], report.All.Where(p => p.Kind == ReadProblemKind.TextRepaired).Select(p => (int)p.Line!));
    }

    [Theory]
    [InlineData("a.jsonl", "{\"text\":\"LONG\"}\n{\"text\":\"good\"}\n", "the line is longer than 1024 bytes")]
    [InlineData("a.json", "[{\"text\":\"LONG\"},{\"text\":\"good\"}]", "the value is longer than 1024 bytes")]
    [InlineData("a.csv", "text\nLONG\ngood\n", "the row is longer than 1024 bytes")]
    public void A_record_that_is_too_long_is_so_however_it_is_read(string name, string content, string reason)
    {
        using var folder = new TemporaryFolder();
        var report = new Problems();
        string path = folder.Write(name, content.Replace("LONG", new string('x', 2000), StringComparison.Ordinal));
        Assert.Equal("good", Assert.Single(Read(path, report, new InputOptions { MaximumLineBytes = 1024 })).Text);
        Assert.Equal(reason, Assert.Single(report.All).Reason);
    }

    [Theory]
    [InlineData(InputKind.Text)]
    [InlineData(InputKind.Csv)]
    [InlineData(InputKind.Warc)]
    public void A_file_that_fails_while_it_is_read_is_reported(InputKind kind)
    {
        // Reading the memory of a process from address 0 is an error of input and output.
        if (!OperatingSystem.IsLinux()) Assert.Skip("Linux has such a file.");
        var report = new Problems();
        Assert.Empty(InputReader.Read(new InputFile("/proc/self/mem", "mem", kind, InputPacking.None, 1), null, report));
        Assert.Equal(ReadProblemKind.PathSkipped, Assert.Single(report.All).Kind);
    }

    [Theory]
    [InlineData(".gz")]
    [InlineData(".zst")]
    [InlineData(".br")]
    public void Packed_lines_are_read_and_every_cut_is_reported_with_what_came_before_kept(string ending)
    {
        using var folder = new TemporaryFolder();
        var plain = new StringBuilder();
        var random = new Random(1);
        for (int i = 0; i < 3000; i++) plain.Append("{\"text\":\"document ").Append(i).Append(' ').Append(random.NextInt64()).Append("\"}\n");
        byte[] packed = Pack(Encoding.UTF8.GetBytes(plain.ToString()), ending);
        var report = new Problems();
        string[] whole = [.. Read(folder.Write("whole.jsonl" + ending, packed), report).Select(d => d.Text)];
        Assert.Equal(3000, whole.Length);
        Assert.Empty(report.All);
        foreach (int length in (int[])[5, 1000, packed.Length / 2, packed.Length - 9, packed.Length - 1])
        {
            var cut = new Problems();
            string[] texts = [.. Read(folder.Write("cut.jsonl" + ending, packed[..length]), cut).Select(d => d.Text)];
            Assert.Equal(whole.Take(texts.Length), texts);
            Assert.Contains("cut short", cut.All[^1].Reason, StringComparison.Ordinal);
        }

        if (ending == ".br") return;
        Assert.Equal(6000, Read(folder.Write("twice.jsonl" + ending, [.. packed, .. packed]), report).Count());
        Assert.Empty(report.All);
    }

    [Theory]
    [InlineData(".gz")]
    [InlineData(".zst")]
    [InlineData(".br")]
    public void A_bomb_is_stopped_and_what_was_read_stays(string ending)
    {
        using var folder = new TemporaryFolder();
        byte[] lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"text\":\"a\"}\n", 10)));
        string bomb = folder.Write("bomb.jsonl" + ending, Pack([.. lines, .. new byte[20_000_000]], ending));
        var report = new Problems();
        long before = GC.GetAllocatedBytesForCurrentThread();
        int read = Read(bomb, report, new InputOptions { ExpansionAllowance = 1_000_000, MaximumLineBytes = 100_000 }).Count();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
        Assert.Equal(10, read);
        Assert.Contains("expands to more than 1000000 bytes", report.All[^1].Reason, StringComparison.Ordinal);
        Assert.Equal(ReadProblemKind.FileCutShort, report.All[^1].Kind);
    }

    [Fact]
    public void An_absurd_line_is_passed_over_without_being_held()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("long.jsonl", "{\"text\":\"" + new string('x', 8_000_000) + "\"}\n{\"text\":\"short\"}");
        var report = new Problems();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("short", Assert.Single(Read(path, report, new InputOptions { MaximumLineBytes = 100_000 })).Text);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
        Assert.Equal(1, Assert.Single(report.All).Line);
    }

    [Fact]
    public void Json_arrays_and_objects_one_after_another_are_read()
    {
        using var folder = new TemporaryFolder();
        var report = new Problems();
        string array = folder.Write("array.json", "\uFEFF [\n {\"text\": \"a]}\\\"\", \"id\": 1},\n {\"text\": \"b\",\n \"meta\": [{}]}, 7, {\"x\": 1}, {\"text\": \"c\"}]");
        var documents = Read(array, report).ToList();
        Assert.Equal(["a]}\"", "b", "c"], documents.Select(d => d.Text));
        Assert.Equal(["1", "array.json#1", "array.json#4"], documents.Select(d => d.Id));
        Assert.Equal([4L, 4L], report.All.Select(p => p.Line));
        Assert.Equal(["a", "b"], Read(folder.Write("many.json", "{\"text\":\"a\"}\n{\n\"text\":\"b\"}\n"), report).Select(d => d.Text));
        var open = new Problems();
        Assert.Equal(["a"], Read(folder.Write("open.json", "[{\"text\":\"a\"}, {\"text\":\"b"), open).Select(d => d.Text));
        Assert.Equal(2, open.All.Count);
    }

    [Fact]
    public void Text_is_decoded_by_its_mark_or_the_fallback_and_repairs_are_counted()
    {
        using var folder = new TemporaryFolder();
        var report = new Problems();
        Assert.Equal("wide é", Read(folder.Write("a.txt", [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes("wide é")]), report).Single().Text);
        Assert.Equal("mark", Read(folder.Write("b.txt", [0xEF, 0xBB, 0xBF, .. "mark"u8]), report).Single().Text);
        Assert.Empty(report.All);
        byte[] latin = [(byte)'c', (byte)'a', (byte)'f', 0xE9, (byte)' ', 0x80];
        Assert.Equal("café €", Read(folder.Write("c.txt", latin), report, new InputOptions { FallbackEncoding = "windows-1252" }).Single().Text);
        Assert.Empty(report.All);
        Assert.Equal("caf\uFFFD \uFFFD", Read(folder.Write("d.txt", latin), report).Single().Text);
        Assert.Contains("in 2 places", Assert.Single(report.All).Reason, StringComparison.Ordinal);
        SourceDocument code = Read(folder.Write("e.py", "print(1)"), report).Single();
        Assert.Equal(("e.py", "code:python", "e.py", "e.py"), (code.Id, code.Language, code.Source, code.Place));
        Assert.Empty(Read(folder.Write("f.txt", [1, 0, 2]), report));
        Assert.Contains("binary", report.All[^1].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_text_is_cut_at_line_ends_into_pieces_that_make_up_the_whole()
    {
        using var folder = new TemporaryFolder();
        string whole = string.Concat(Enumerable.Range(0, 900).Select(i => $"line {i} é\U0001F30A\n")) + new string('界', 3000);
        var report = new Problems();
        var pieces = Read(folder.Write("long.txt", whole), report, new InputOptions { MaximumDocumentBytes = 2000 }).ToList();
        Assert.Equal(whole, string.Concat(pieces.Select(p => p.Text)));
        Assert.All(pieces, p => Assert.InRange(Encoding.UTF8.GetByteCount(p.Text), 1, 2000));
        Assert.Equal(["long.txt#0", "long.txt#1"], pieces.Take(2).Select(p => p.Id));
        Assert.Single(report.All);
    }

    [Fact]
    public void Documents_are_the_same_when_read_again()
    {
        InputFile file = Assert.Single(InputListing.Find([Path.Combine(_data, "badlines.jsonl.gz")]));
        Assert.Equal(InputReader.Read(file).ToList(), InputReader.Read(file).ToList());
    }

    [Theory]
    [InlineData("x.jsonl.gz")]
    [InlineData("x.jsonl.zst")]
    [InlineData("x.jsonl.br")]
    [InlineData("x.json")]
    [InlineData("x.csv")]
    [InlineData("x.tsv.gz")]
    [InlineData("x.txt")]
    public void Mutated_files_give_documents_and_reports_and_nothing_else(string name)
    {
        using var folder = new TemporaryFolder();
        string separator = name.Contains("tsv", StringComparison.Ordinal) ? "\t" : ",";
        string plain = name switch
        {
            "x.json" => "[{\"id\":\"a\",\"text\":\"caf\\u00e9 \\ud83c\\udf0a\"}, {\"text\":\"two\", \"m\":[1,{\"k\":null}]}]",
            _ when name.Contains("sv", StringComparison.Ordinal) => $"id{separator}text\n1{separator}\"a \"\"b\"\"\nc\"\n2{separator}plain\n3{separator}\"last\"\n",
            _ => "{\"id\":\"a\",\"text\":\"caf\\u00e9 \\ud83c\\udf0a\"}\n{\"text\":\"two\",\"lang\":\"en\"}\n",
        };
        byte[] original = Pack(Encoding.UTF8.GetBytes(plain), Path.GetExtension(name));
        var random = new Random(7);
        var options = new InputOptions { MaximumLineBytes = 4096, MaximumDocumentBytes = 2048, ExpansionAllowance = 1 << 20, MaximumZstandardWindowLog = 20 };
        int documents = 0, problems = 0;
        for (int i = 0; i < 400; i++)
        {
            byte[] mutant = [.. original];
            for (int k = random.Next(1, 4); k > 0; k--) mutant[random.Next(mutant.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) mutant = mutant[..random.Next(1, mutant.Length)];
            var report = new Problems();
            documents += Read(folder.Write(name, mutant), report, options).Count();
            problems += report.All.Count;
        }

        Assert.True(documents > 0, $"{documents} documents");
        Assert.True(problems > 50, $"{problems} problems");
    }

    internal static IEnumerable<SourceDocument> Read(string path, IReadReport report, InputOptions? options = null) =>
        InputListing.Find([path], options).SelectMany(f => InputReader.Read(f, options, report));

    internal static byte[] Pack(byte[] plain, string ending)
    {
        using var packed = new MemoryStream();
        using (Stream packer = ending switch
        {
            ".gz" => new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true),
            ".zst" => new ZstdSharp.CompressionStream(packed, 3, leaveOpen: true),
            ".br" => new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            _ => packed,
        })
        {
            packer.Write(plain);
            packer.Flush();
            if (packer == packed) return packed.ToArray();
        }

        return packed.ToArray();
    }

    internal sealed class Problems : IReadReport
    {
        public List<ReadProblem> All { get; } = [];

        public void Add(ReadProblem problem) => All.Add(problem);
    }
}
