using System.Buffers.Binary;
using System.Globalization;
using Hadal.Data.Sources;
using Parquet;
using Parquet.Schema;

namespace Hadal.Data.Tests.Sources;

public class ColumnarInputTests
{
    private static readonly string _data = Path.Combine(GoldenData.Root, "tests", "Hadal.Data.Tests", "Sources", "Data", "Parquet");

    public static TheoryData<string> Fixtures => [.. Directory.GetFiles(_data, "*.parquet").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    // The files were written by arrow-rs (parquet-wasm 0.7): 120 rows by the rule below, with the encodings, page versions and packings that their names say.
    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Every_encoding_page_version_and_packing_is_read(string name)
    {
        var report = new InputReaderTests.Problems();
        var documents = InputReaderTests.Read(Path.Combine(_data, name), report).ToList();
        int at = 0;
        for (int i = 0; i < 120; i++)
        {
            if (i % 17 == 5) continue;
            string text = i % 23 == 0 ? "" : $"row {i} the same front, {string.Concat(Enumerable.Repeat("é日🌊", i % 5))} then {Base36(i * 2654435761L % 4294967296L)}";
            string? language = i % 4 == 0 ? null : i % 2 == 1 ? "en" : "ja";
            var expected = new SourceDocument((i * i * 7 - 1000).ToString(CultureInfo.InvariantCulture), text, $"source/{i % 3}", language, $"{name}#{i}");
            Assert.Equal(expected, documents[at++]);
        }

        Assert.Equal(at, documents.Count);
        Assert.Equal(Enumerable.Range(0, 120).Where(i => i % 17 == 5).Select(i => (long?)i + 1), report.All.Select(p => p.Line));
        Assert.All(report.All, p => Assert.Equal((ReadProblemKind.RecordSkipped, "\"text\" is null"), (p.Kind, p.Reason)));
    }

    [Theory]
    [InlineData(CompressionMethod.None)]
    [InlineData(CompressionMethod.Snappy)]
    [InlineData(CompressionMethod.Gzip)]
    [InlineData(CompressionMethod.Brotli)]
    [InlineData(CompressionMethod.Zstd)]
    [InlineData(CompressionMethod.Lz4Raw)]
    public async Task What_another_library_writes_is_read_even_with_whole_texts_in_its_page_headers(CompressionMethod packing)
    {
        using var folder = new TemporaryFolder();
        string[] texts = [.. Enumerable.Range(0, 30).Select(i => new string((char)('a' + i % 26), i * 4000) + i)];
        string path = folder.File("t.parquet");
        await Write(path, texts, 10, packing);
        var report = new InputReaderTests.Problems();
        var documents = InputReaderTests.Read(path, report).ToList();
        Assert.Empty(report.All);
        Assert.Equal(texts, documents.Select(d => d.Text));
        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"n{i}"), documents.Select(d => d.Id));
        Assert.All(documents, d => Assert.Equal(("t.parquet", null), (d.Source, d.Language)));
    }

    [Fact]
    public async Task A_damaged_row_group_is_reported_and_the_next_is_read()
    {
        using var folder = new TemporaryFolder();
        string[] texts = [.. Enumerable.Range(0, 30).Select(i => $"text {i} " + new string('x', 500))];
        string path = folder.File("t.parquet");
        await Write(path, texts, 10, CompressionMethod.None);
        byte[] bytes = File.ReadAllBytes(path);

        // The length before the fifteenth text, in the second group.
        int at = bytes.AsSpan().IndexOf("text 14 x"u8);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at - 4), int.MaxValue);
        var report = new InputReaderTests.Problems();
        var documents = InputReaderTests.Read(folder.Write("t.parquet", bytes), report).ToList();
        Assert.Equal(texts.Take(14).Concat(texts.Skip(20)), documents.Select(d => d.Text));
        ReadProblem problem = Assert.Single(report.All);
        Assert.Equal(15, problem.Line);
        Assert.Contains("6 rows to the end of row group 1 are left out: in column \"text\", a value reaches beyond its page", problem.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_text_overlong_text_and_missing_columns_are_reported()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("t.parquet");
        await Write(path, ["fine", new string('x', 3000), "bad !", "fine too"], 10, CompressionMethod.None);
        byte[] bytes = File.ReadAllBytes(path);
        int bad = 0;
        while (bytes.AsSpan(bad).IndexOf("bad !"u8) is >= 0 and var next) bytes[(bad += next + 4)] = 0xFF;
        folder.Write("t.parquet", bytes);
        var report = new InputReaderTests.Problems();
        var options = new InputOptions { MaximumDocumentBytes = 2000 };
        Assert.Equal(["fine", "fine too"], InputReaderTests.Read(path, report, options).Select(d => d.Text));
        Assert.Equal([2, 3], report.All.Select(p => (int)p.Line!));
        Assert.Equal("bad \uFFFD", InputReaderTests.Read(path, report, options with { InvalidText = InvalidText.Replace }).ElementAt(1).Text);
        var missing = new InputReaderTests.Problems();
        Assert.Empty(InputReaderTests.Read(path, missing, new InputOptions { TextField = "content" }));
        Assert.Equal("it has no column \"content\" (it has id, text)", Assert.Single(missing.All).Reason);
        Assert.Empty(InputReaderTests.Read(Path.Combine(_data, "plain-none.parquet"), missing, new InputOptions { TextField = "ID" }));
        Assert.Equal("its column \"ID\" is Int64, not text", missing.All[^1].Reason);
    }

    [Fact]
    public void What_is_no_parquet_file_or_cut_short_is_skipped_with_a_reason()
    {
        using var folder = new TemporaryFolder();
        byte[] whole = File.ReadAllBytes(Path.Combine(_data, "plain-none.parquet"));
        byte[] footer = [.. whole];
        BinaryPrimitives.WriteUInt32LittleEndian(footer.AsSpan(footer.Length - 8), 0x7FFFFFFF);
        foreach ((byte[] bytes, string reason) in (IEnumerable<(byte[], string)>)[([1, 2, 3], "too short"), (whole[..^1], "cut short"), (whole[1..], "does not begin"), (footer, "claims 2147483647 bytes"), ([.. whole[..^4], .. "PARE"u8], "encrypted")])
        {
            var report = new InputReaderTests.Problems();
            Assert.Empty(InputReaderTests.Read(folder.Write("t.parquet", bytes), report));
            Assert.Equal(ReadProblemKind.PathSkipped, Assert.Single(report.All).Kind);
            Assert.Contains(reason, report.All[0].Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_page_beyond_the_bound_is_refused_before_it_is_held()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("t.parquet");
        await Write(path, ["small", new string('x', 3_000_000)], 1, CompressionMethod.Zstd);
        var report = new InputReaderTests.Problems();
        Assert.Equal(["small"], InputReaderTests.Read(path, report, new InputOptions { MaximumPageBytes = 1 << 20 }).Select(d => d.Text));
        Assert.Contains("more than the 1048576 that one may have", Assert.Single(report.All).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_a_dictionary_repeats_without_end_is_stopped()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("t.parquet");
        byte[] text = new byte[10_000];
        text.AsSpan().Fill((byte)'x');
        HandmadeParquet.Write(path, 1_000_000, [new(1, text)], [0, .. HandmadeParquet.Run(1_000_000, 0)]);
        var report = new InputReaderTests.Problems();
        int read = InputReaderTests.Read(path, report, new InputOptions { ExpansionAllowance = 20_000_000 }).Count();
        Assert.InRange(read, 1900, 2000);
        Assert.Contains("expands to more than", Assert.Single(report.All).Reason, StringComparison.Ordinal);
        Assert.Equal(ReadProblemKind.FileCutShort, report.All[0].Kind);
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Mutated_files_give_documents_and_reports_and_nothing_else(string name)
    {
        using var folder = new TemporaryFolder();
        byte[] original = File.ReadAllBytes(Path.Combine(_data, name));
        var random = new Random(11);
        var options = new InputOptions { ExpansionAllowance = 1 << 22, MaximumPageBytes = 1 << 20 };
        int documents = 0, problems = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 80; i++)
        {
            byte[] mutant = [.. original];
            int from = random.Next(2) == 0 ? 0 : mutant.Length - BinaryPrimitives.ReadInt32LittleEndian(mutant.AsSpan(mutant.Length - 8)) - 8;
            for (int k = random.Next(1, 5); k > 0; k--) mutant[random.Next(from, mutant.Length)] = (byte)random.Next(256);
            var report = new InputReaderTests.Problems();
            documents += InputReaderTests.Read(folder.Write("m.parquet", mutant), report, options).Count();
            problems += report.All.Count;
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 80L * 8_000_000);
        Assert.True(documents > 500, $"{documents} documents");
        Assert.True(problems > 100, $"{problems} problems");
    }

    internal static async Task Write(string path, string[] texts, int perGroup, CompressionMethod packing)
    {
        var schema = new ParquetSchema(new DataField<string>("id"), new DataField<string>("text"));
        using FileStream file = File.Create(path);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(schema, file, new ParquetOptions { CompressionMethod = packing });
        for (int start = 0; start < texts.Length; start += perGroup)
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            string[] some = [.. texts.Skip(start).Take(perGroup)];
            await group.WriteAsync(schema.DataFields[0], [.. some.Select((_, i) => $"n{start + i}")]);
            await group.WriteAsync(schema.DataFields[1], some);
        }
    }

    private static string Base36(long value)
    {
        string text = "";
        do
        {
            text = "0123456789abcdefghijklmnopqrstuvwxyz"[(int)(value % 36)] + text;
            value /= 36;
        }
        while (value > 0);
        return text;
    }
}
