using System.IO.Compression;
using System.Text;
using Hadal.Data.Sources;

namespace Hadal.Data.Tests.Sources;

public class ArchiveInputTests
{
    private const string Sentence = "The abyssal plain is the largest habitat on the planet, and until the last century almost nothing was known of what lives there.";

    private static readonly byte[] _info = Record("warcinfo", null, "application/warc-fields", "software: a test\r\n"u8);

    [Theory]
    [InlineData("a.warc")]
    [InlineData("a.warc.gz")]
    [InlineData("whole.warc.gz")]
    [InlineData("a.warc.zst")]
    public void Pages_and_texts_are_read_and_all_else_is_passed_over(string name)
    {
        using var folder = new TemporaryFolder();
        byte[][] records =
        [
            _info,
            Record("request", "http://a.example/", "application/http; msgtype=request", "GET / HTTP/1.1\r\n\r\n"u8),
            Response("http://a.example/", "Content-Type: text/html; charset=utf-8\r\n", Encoding.UTF8.GetBytes($"<nav>menu</nav><p>{Sentence} é</p>")),
            Response("http://a.example/image", "Content-Type: image/png\r\n", new byte[5000]),
            Response("http://a.example/gone", "Content-Type: text/html\r\n", "<p>Not found"u8, "404 Not Found"),
            Response("http://a.example/latin", "content-type: text/html;charset=\"ISO-8859-1\"\r\n", [.. "<p>caf"u8, 0xE9]),
            Response("http://a.example/plain", "Content-Type: text/plain\r\n", "as <it> is\n"u8),
            Record("metadata", "http://a.example/", "application/warc-fields", "x: y"u8),
            Record("conversion", "http://a.example/wet", "text/plain", "a text of a WET file"u8),
            Record("resource", "<http://a.example/resource>", "text/html", "<p>stored itself"u8),
        ];
        string path = folder.Write(name, Pack(records, name));
        var report = new InputReaderTests.Problems();
        var documents = InputReaderTests.Read(path, report).ToList();
        Assert.Empty(report.All);
        Assert.Equal([$"{Sentence} é", "café", "as <it> is\n", "a text of a WET file", "stored itself"], documents.Select(d => d.Text));
        Assert.Equal(["http://a.example/", "http://a.example/latin", "http://a.example/plain", "http://a.example/wet", "http://a.example/resource"], documents.Select(d => d.Id));
        Assert.Equal(new[] { 2, 5, 6, 8, 9 }.Select(n => $"{name}#{n}"), documents.Select(d => d.Place));
        Assert.All(documents, d => Assert.Equal((name, null), (d.Source, d.Language)));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("raw")]
    [InlineData("br")]
    [InlineData("zstd")]
    public void What_http_packs_is_unpacked_and_what_was_unpacked_is_taken_as_it_is(string coding)
    {
        using var folder = new TemporaryFolder();
        byte[] page = Encoding.UTF8.GetBytes($"<p>{Sentence}</p>");
        byte[] packed = Encode(page, coding);
        string head = $"Content-Type: text/html\r\nContent-Encoding: {(coding == "raw" ? "deflate" : coding)}\r\n";
        byte[][] records =
        [
            Response("u:1", head, packed),
            Response("u:2", head + "Transfer-Encoding: chunked\r\n", Chunks(packed, 50)),
            Response("u:3", head + "Transfer-Encoding: chunked\r\n", page),
            Response("u:4", head, page),
        ];
        var report = new InputReaderTests.Problems();
        Assert.Equal([Sentence, Sentence, Sentence, Sentence], InputReaderTests.Read(folder.Write("a.warc", Pack(records, "a.warc")), report).Select(d => d.Text));
        Assert.Empty(report.All);
        Assert.InRange(InputReaderTests.Read(folder.Write("b.warc", Response("u:5", head.Replace("html", "plain", StringComparison.Ordinal) + "Transfer-Encoding: chunked\r\n", Chunks(packed, 50).AsSpan()[..^60])), report).Count(), coding == "zstd" ? 0 : 1, 1);
        Assert.StartsWith("the page at byte 0 (u:5): its", Assert.Single(report.All).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_that_unpacks_beyond_the_bound_is_left_out()
    {
        using var folder = new TemporaryFolder();
        string head = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n";
        byte[][] records = [Response("u:1", head, Encode(new byte[50_000_000], "gzip")), Response("u:2", "Content-Type: text/plain\r\n", new byte[3_000_000]), Response("u:3", "Content-Type: image/png\r\n", new byte[3_000_000]), Response("u:4", "Content-Type: text/plain\r\n", "last"u8)];
        foreach (string name in (string[])["a.warc", "a.warc.gz"])
        {
            string path = folder.Write(name, Pack(records, name));
            var report = new InputReaderTests.Problems();
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Equal(["last"], InputReaderTests.Read(path, report, new InputOptions { MaximumDocumentBytes = 1 << 20 }).Select(d => d.Text));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 12_000_000);
            Assert.Equal(2, report.All.Count);
            Assert.All(report.All, p => Assert.Contains("the page is longer than 1048576 bytes", p.Reason, StringComparison.Ordinal));
        }

        var stopped = new InputReaderTests.Problems();
        Assert.Empty(InputReaderTests.Read(folder.File("a.warc.gz"), stopped, new InputOptions { ExpansionAllowance = 1_000_000, MaximumExpansion = 2 }));
        Assert.Contains("expands to more than 1000000 bytes", Assert.Single(stopped.All).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_member_is_reported_with_its_place_and_the_next_is_read()
    {
        using var folder = new TemporaryFolder();
        byte[][] members = [.. Enumerable.Range(0, 5).Select(i => Gzip(Response($"u:{i}", "Content-Type: text/plain\r\n", Noise(i))))];
        byte[] damaged = [.. members[2]];
        damaged[damaged.Length / 2] ^= 0x55;
        damaged[(damaged.Length / 2) + 9] ^= 0xAA;
        byte[] bytes = [.. members[0], .. members[1], .. damaged, .. members[3], .. members[4]];
        var report = new InputReaderTests.Problems();
        Assert.Equal(["u:0", "u:1", "u:3", "u:4"], InputReaderTests.Read(folder.Write("a.warc.gz", bytes), report).Select(d => d.Id));
        ReadProblem problem = Assert.Single(report.All);
        Assert.Equal(ReadProblemKind.RecordSkipped, problem.Kind);
        Assert.StartsWith($"the gzip member at byte {members[0].Length + members[1].Length} does not unpack", problem.Reason, StringComparison.Ordinal);

        // Cut at every kind of place: what is whole stays, the cut is told.
        foreach (int cut in (int[])[3, 30, members[4].Length / 2, members[4].Length - 9, members[4].Length - 1])
        {
            var shortened = new InputReaderTests.Problems();
            byte[] front = [.. members[0], .. members[1], .. members[4][..cut]];
            Assert.Equal(["u:0", "u:1"], InputReaderTests.Read(folder.Write("b.warc.gz", front), shortened).Select(d => d.Id).ToList().Take(2));
            Assert.Equal(($"{cut}", 1), ($"{cut}", shortened.All.Count));
            Assert.Contains("unpack", shortened.All[0].Reason, StringComparison.Ordinal);
        }

        byte[] junk = [.. "junk"u8, .. members[0], .. new byte[100], .. members[1]];
        Assert.Equal(["u:0", "u:1"], InputReaderTests.Read(folder.Write("c.warc.gz", junk), report).Select(d => d.Id));
    }

    [Fact]
    public void A_damaged_record_is_reported_with_its_place_and_the_next_is_read()
    {
        using var folder = new TemporaryFolder();
        byte[] one = Response("u:1", "Content-Type: text/plain\r\n", "one"u8), two = Response("u:2", "Content-Type: text/plain\r\n", "two"u8);
        string text = Encoding.ASCII.GetString(one);
        int length = int.Parse(text.Split("Content-Length: ")[1].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture);
        foreach ((string from, string to, string reason) in (IEnumerable<(string, string, string)>)
        [
            ($"Content-Length: {length}", $"Content-Length: {length + 300}", "is not as long as it says"),
            ($"Content-Length: {length}", $"Content-Length: {length - 3}", "is not as long as it says"),
            ($"Content-Length: {length}", "Content-Length: 1000000", "is cut short"),
            ($"Content-Length: {length}", "Content-Length: 99999999999999999999", "has no proper Content-Length"),
            ("Content-Length", "Content-Size", "has no proper Content-Length"),
            ("WARC/1.0", "WERC/1.0", "does not begin a record"),
        ])
        {
            var report = new InputReaderTests.Problems();
            byte[] bad = Encoding.ASCII.GetBytes(text.Replace(from, to, StringComparison.Ordinal));
            string path = folder.Write("a.warc", [.. _info, .. two, .. bad, .. two, .. two]);
            Assert.Equal(["two", "two", "two"], InputReaderTests.Read(path, report).Select(d => d.Text));
            Assert.Contains($"at byte {_info.Length + two.Length} {reason}", report.All[0].Reason, StringComparison.Ordinal);
            Assert.All(report.All, p => Assert.Equal(ReadProblemKind.RecordSkipped, p.Kind));
        }

        var cut = new InputReaderTests.Problems();
        Assert.Equal(["two"], InputReaderTests.Read(folder.Write("b.warc", [.. two, .. two[..^20]]), cut).Select(d => d.Text));
        Assert.Equal((ReadProblemKind.FileCutShort, $"what begins at byte {two.Length} is cut short"), (Assert.Single(cut.All).Kind, cut.All[0].Reason));
    }

    [Fact]
    public void Bytes_that_look_like_members_change_nothing_and_cost_little()
    {
        using var folder = new TemporaryFolder();
        byte[] header = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
        byte[] fake = [.. Enumerable.Repeat(header, 100_000).SelectMany(h => h)];

        // Stored, not packed: the headers stand in the member as they are.
        using var stored = new MemoryStream();
        using (var gzip = new GZipStream(stored, CompressionLevel.NoCompression, leaveOpen: true)) gzip.Write(Record("conversion", "u:1", "text/plain", fake.AsSpan(0, 200_000)));
        byte[] bytes = [.. stored.ToArray(), .. Gzip(Response("u:2", "Content-Type: text/plain\r\n", "two"u8))];
        var report = new InputReaderTests.Problems();
        Assert.Equal(["u:1", "u:2"], InputReaderTests.Read(folder.Write("a.warc.gz", bytes), report).Select(d => d.Id));
        Assert.Single(report.All);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Empty(InputReaderTests.Read(folder.Write("b.warc.gz", fake), report));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 60_000_000);
    }

    [Theory]
    [InlineData("x.warc")]
    [InlineData("x.warc.gz")]
    public void Mutated_archives_give_documents_and_reports_and_nothing_else(string name)
    {
        using var folder = new TemporaryFolder();
        byte[] page = Encoding.UTF8.GetBytes($"<p>{Sentence}</p>");
        byte[][] records =
        [
            _info,
            Response("u:1", "Content-Type: text/html\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", Chunks(Encode(page, "gzip"), 40)),
            Response("u:2", "Content-Type: text/html\r\nContent-Encoding: br\r\n", Encode(page, "br")),
            Record("conversion", "u:3", "text/plain", page),
            Response("u:4", "Content-Type: text/html; charset=shift_jis\r\n", page),
        ];
        byte[] original = Pack(records, name);
        var random = new Random(13);
        var options = new InputOptions { MaximumDocumentBytes = 1 << 20, ExpansionAllowance = 1 << 22 };
        int documents = 0, problems = 0;
        for (int i = 0; i < 300; i++)
        {
            byte[] mutant = [.. original];
            for (int k = random.Next(1, 5); k > 0; k--) mutant[random.Next(mutant.Length)] = (byte)random.Next(256);
            if (random.Next(5) == 0) mutant = mutant[..random.Next(1, mutant.Length)];
            var report = new InputReaderTests.Problems();
            documents += InputReaderTests.Read(folder.Write(name, mutant), report, options).Count();
            problems += report.All.Count;
        }

        Assert.InRange(documents, 500, 1200);
        Assert.True(problems > 100, $"{problems} problems");
    }

    private static byte[] Record(string type, string? uri, string contentType, ReadOnlySpan<byte> content)
    {
        string head = $"WARC/1.0\r\nWARC-Type: {type}\r\n{(uri is null ? "" : $"WARC-Target-URI: {uri}\r\n")}WARC-Date: 2020-01-01T00:00:00Z\r\nContent-Type: {contentType}\r\nContent-Length: {content.Length}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. content, .. "\r\n\r\n"u8];
    }

    private static byte[] Response(string uri, string headers, ReadOnlySpan<byte> body, string status = "200 OK") =>
        Record("response", uri, "application/http; msgtype=response", [.. Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{headers}\r\n"), .. body]);

    // An archive by its name: each record a member, one member for all, or not packed.
    private static byte[] Pack(byte[][] records, string name)
    {
        byte[] plain = [.. records.SelectMany(r => r)];
        if (name.StartsWith("whole", StringComparison.Ordinal)) return Gzip(plain);
        if (name.EndsWith(".zst", StringComparison.Ordinal)) return InputReaderTests.Pack(plain, ".zst");
        return name.EndsWith(".gz", StringComparison.Ordinal) ? [.. records.SelectMany(Gzip)] : plain;
    }

    private static byte[] Gzip(byte[] plain) => InputReaderTests.Pack(plain, ".gz");

    private static byte[] Encode(byte[] plain, string coding)
    {
        using var packed = new MemoryStream();
        using (Stream packer = coding switch
        {
            "gzip" => new GZipStream(packed, CompressionLevel.Optimal),
            "deflate" => new ZLibStream(packed, CompressionLevel.Optimal),
            "raw" => new DeflateStream(packed, CompressionLevel.Optimal),
            "br" => new BrotliStream(packed, CompressionLevel.Optimal),
            _ => new ZstdSharp.CompressionStream(packed, 3),
        }) packer.Write(plain);
        return packed.ToArray();
    }

    private static byte[] Chunks(byte[] body, int size)
    {
        var bytes = new List<byte>();
        foreach (byte[] chunk in body.Chunk(size)) bytes.AddRange([.. Encoding.ASCII.GetBytes($"{chunk.Length:X};note=1\r\n"), .. chunk, .. "\r\n"u8]);
        return [.. bytes, .. "0\r\n\r\n"u8];
    }

    // Text that packs badly, so that members are long.
    private static byte[] Noise(int seed)
    {
        var random = new Random(seed);
        byte[] text = new byte[20_000];
        for (int i = 0; i < text.Length; i++) text[i] = (byte)random.Next('a', 'z' + 1);
        return text;
    }
}
