using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Hadal.Cli.Reports;

namespace Hadal.Cli.Tests.Reports;

public sealed partial class TrainingReportTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hadal-report-");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public void A_page_has_every_part_and_is_well_formed()
    {
        var (text, page) = Write(Full());

        Assert.StartsWith("<!DOCTYPE html>", text, StringComparison.Ordinal);
        Assert.Equal(
            ["What it learned", "How it was steered", "How the experts share the work", "How fast it went", "What it writes", "The model", "Settings of the run", "Do it again"],
            page.Descendants("h2").Select(h => h.Value));
        string[] figures = [.. page.Descendants("h3").Select(h => h.Value)];
        Assert.Equal(["Loss, nats per token", "Learning rate", "Gradient norm, before clipping", "layer 3, 16 experts", "layer 4, 16 experts", "MTP 1, 16 experts", "MaxVio, largest load / even share − 1", "Training speed, tokens/s"], figures);
        Assert.Contains("Parameters", Tiles(page));
        Assert.Equal("3.210", TileValue(page, "Validation loss"));
        Assert.Equal("24.8", TileValue(page, "Validation perplexity")); // e^3.21 = 24.78
        Assert.Equal("71.1%", TileValue(page, "MTP drafts accepted"));
        Assert.Equal("812", TileValue(page, "Decoding, tokens/s"));
        Assert.Equal("1,140", TileValue(page, "Decoding with MTP drafts"));
        Assert.Contains("0.811 below the bigram model's 4.021 nats", text, StringComparison.Ordinal);
        Assert.Contains("same text with drafts", text, StringComparison.Ordinal);
        Assert.Contains("hadal quickstart --seed 1", text, StringComparison.Ordinal);
        Assert.Contains("A model of 4.2M parameters, 1.9M of them at work on each token, learned from 819.2K tokens of some text in 200 steps and 2 min 58 s.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_asks_for_nothing_outside_itself()
    {
        var (text, page) = Write(Full());

        Assert.DoesNotMatch(@"https?:|//", Images().Replace(text, ""));
        Assert.DoesNotMatch(@"url\((?!#)|@import", text);
        Assert.DoesNotContain(page.Descendants(), e => e.Name.LocalName is "script" or "link" or "iframe" or "object" or "embed" or "base");
        foreach (var attribute in page.Descendants().Attributes())
        {
            string name = attribute.Name.LocalName;
            Assert.False(name.StartsWith("on", StringComparison.Ordinal) || name is "src" or "srcset" or "action", name);
            if (name == "href") Assert.StartsWith("data:image/png;base64,", attribute.Value, StringComparison.Ordinal);
        }

        // Every clip path is there, once.
        string[] ids = [.. page.Descendants().Attributes("id").Select(a => a.Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(page.Descendants().Attributes("clip-path"), a => Assert.Contains(a.Value[5..^1], ids));
    }

    [Fact]
    public void Hostile_text_stays_text()
    {
        const string Hostile = "</pre></title></style><script>alert('x')</script><img src=x onerror=\"alert(1)\"> ]]> &amp; <!-- ";
        var data = Full() with
        {
            Title = Hostile + "title",
            Corpus = Hostile + "corpus",
            Command = Hostile + "command",
            Samples = [new ReportSample { Prompt = Hostile + "prompt", Text = Hostile + "text", TextSpeculative = Hostile + "drafted" }],
            Shape = [new ReportRow(Hostile + "name", Hostile + "value", Hostile + "note")],
            Settings = [new ReportRow(Hostile + "setting", Hostile)],
        };
        var (text, page) = Write(data);

        Assert.DoesNotContain("<script", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<img", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<!--", text, StringComparison.Ordinal);
        foreach (string word in new[] { "title", "prompt", "text", "drafted", "name", "value", "note", "setting", "command" })
        {
            Assert.Contains(page.Descendants(), e => !e.HasElements && e.Value == Hostile + word || e.Nodes().OfType<XText>().Any(t => t.Value == Hostile + word));
        }

        Assert.Contains(Hostile + "corpus", page.Descendants("header").Single().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Characters_that_a_page_cannot_hold_are_replaced()
    {
        var data = Full() with { Samples = [new ReportSample { Prompt = "a\0b\u001bc\u007f", Text = "x\ud800y\udc00z\uffff \r\n\ttab \U0001F600 \u0085" }] };
        var (_, page) = Write(data);

        var sample = page.Descendants("pre").First();
        Assert.Equal("a␀b␛c␡", sample.Elements().First().Value);
        Assert.Equal("x\ufffdy\ufffdz\ufffd \n\ttab \U0001F600 \ufffd", sample.Elements().Last().Value);
    }

    [Fact]
    public void Parts_that_a_run_does_not_have_are_left_out()
    {
        var data = new TrainingReportData { Title = "dense", Steps = SyntheticRun.Steps(20, layers: 0, modules: 0, validateEvery: 0) };
        var (text, page) = Write(data);

        Assert.Equal(["What it learned", "How it was steered", "How fast it went"], page.Descendants("h2").Select(h => h.Value));
        Assert.Equal(["Training loss at the end", "Tokens trained on", "Training, tokens/s"], Tiles(page));
        Assert.DoesNotMatch("MTP|bigram|validation|experts", Body(text));
    }

    [Fact]
    public void A_run_without_steps_says_so()
    {
        var (text, page) = Write(new TrainingReportData { Title = "nothing", Steps = [] });

        Assert.Contains("No step was recorded.", text, StringComparison.Ordinal);
        Assert.Empty(page.Descendants("svg"));
    }

    [Fact]
    public void Loads_that_were_not_recorded_leave_the_balance_curves()
    {
        var (_, page) = Write(Full() with { Steps = SyntheticRun.Steps(40, loads: false) });

        Assert.Empty(page.Descendants("image"));
        Assert.Contains(page.Descendants("h3"), h => h.Value.StartsWith("MaxVio", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(401)]
    public void A_run_of_any_length_is_drawn(int steps)
    {
        var (text, page) = Write(Full() with { Steps = SyntheticRun.Steps(steps) });

        Assert.Equal(3, page.Descendants("image").Count());
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_are_no_numbers_leave_gaps()
    {
        var steps = SyntheticRun.Steps(50);
        for (int i = 20; i < 50; i++)
        {
            steps[i] = steps[i] with
            {
                MainLoss = double.NaN,
                Loss = double.PositiveInfinity,
                MtpLoss = [double.NegativeInfinity],
                GradNorm = double.NaN,
                LearningRate = double.NaN,
                TokensPerSecond = double.PositiveInfinity,
                MaxViolation = [double.NaN, double.NaN, double.PositiveInfinity],
                ExpertLoad = [new long[16], new long[16], []],
                ValidationLoss = double.NaN,
            };
        }

        var (text, _) = Write(Full() with { Steps = steps, ValidationLoss = double.NaN, BigramLoss = double.NaN, AcceptanceRate = double.NaN });

        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        Assert.DoesNotMatch("Infinity|∞", text);
    }

    [Fact]
    public void Long_runs_and_large_models_stay_below_two_megabytes()
    {
        // The bound that the page promises.
        const int Most = 2_000_000;
        var (longRun, _) = Write(Full() with { Steps = SyntheticRun.Steps(100_000, layers: 5, modules: 1, experts: 64, validateEvery: 100) });
        Assert.InRange(longRun.Length, 1, Most);

        // 58 + 1 expert layers of 256 experts, as in DeepSeek-V3, with loads that compress badly.
        var random = new Random(5);
        var steps = SyntheticRun.Steps(120, layers: 59, modules: 1, experts: 256)
            .Select(s => s with { ExpertLoad = [.. Enumerable.Range(0, 59).Select(_ => Enumerable.Range(0, 256).Select(_ => (long)random.Next(2000)).ToArray())] }).ToList();
        var (largeModel, page) = Write(Full() with { Steps = steps });
        Assert.InRange(largeModel.Length, 1, Most);
        Assert.Contains("Shown are 12 of the 59 expert layers", largeModel, StringComparison.Ordinal);
        Assert.Equal(12, page.Descendants("image").Count());
    }

    [Fact]
    public void Thinning_hides_no_spike()
    {
        var steps = SyntheticRun.Steps(50_000, loads: false);
        var (_, calm) = Write(Full() with { Steps = steps });
        steps[31_234] = steps[31_234] with { MainLoss = 38 };
        var (_, spiked) = Write(Full() with { Steps = steps });

        // The axis reaches to the spike, and the range drawn around the mean touches the top.
        Assert.InRange(Labels(calm, "loss-wide-").Max(), 5, 10);
        Assert.InRange(Labels(spiked, "loss-wide-").Max(), 30, 40);
    }

    [Fact]
    public void Of_steps_done_twice_the_last_counts()
    {
        var steps = SyntheticRun.Steps(20, validateEvery: 0);
        var again = steps.Skip(10).Select(s => s with { MainLoss = 1.25, Tokens = 777 }).ToList();
        var (_, page) = Write(new TrainingReportData { Title = "resumed", Steps = [.. steps, .. again] });

        Assert.Equal("1.250", TileValue(page, "Training loss at the end"));
        Assert.Equal("777", TileValue(page, "Tokens trained on"));
    }

    [Fact]
    public void Without_a_decoding_the_last_validation_tells_how_many_drafts_are_accepted()
    {
        var steps = SyntheticRun.Steps(20).Select(s => s with { ValidationAcceptance = s.Step % 5 == 0 ? [s.Step / 100.0, 0.1] : null }).ToList();
        var (_, page) = Write(new TrainingReportData { Title = "trained", Steps = steps });
        Assert.Equal("20.0%", TileValue(page, "MTP drafts accepted"));
    }

    [Fact]
    public void Validations_are_points_in_the_loss_chart()
    {
        var (_, page) = Write(Full() with { Steps = SyntheticRun.Steps(60, validateEvery: 20) });

        var drawing = page.Descendants("svg").First(s => s.Attribute("class")?.Value == "wide");
        Assert.Equal(3, drawing.Descendants("ellipse").Count());
        Assert.Contains(drawing.Descendants("text"), t => t.Value == "bigram 4.021");
    }

    [Fact]
    public void The_load_map_has_the_first_expert_on_top_and_time_to_the_right()
    {
        // Expert 0 takes everything at first; from the second half on all have the same.
        var steps = SyntheticRun.Steps(2, layers: 1, modules: 0);
        steps[0] = steps[0] with { ExpertLoad = [[100, 0, 0, 0]] };
        steps[1] = steps[1] with { ExpertLoad = [[25, 25, 25, 25]] };
        var (_, page) = Write(new TrainingReportData { Title = "map", Steps = steps });

        var (width, pixels) = Pixels(page.Descendants("image").Single().Attribute("href")!.Value);
        Assert.Equal(2, width);
        Assert.Equal((234, 88, 12), (pixels[0, 0].R, pixels[0, 0].G, pixels[0, 0].B)); // overloaded: orange
        Assert.Equal((37, 99, 235), (pixels[0, 3].R, pixels[0, 3].G, pixels[0, 3].B)); // idle: blue
        Assert.True(pixels[0, 0].A > 230 && pixels[0, 3].A > 230);
        for (int expert = 0; expert < 4; expert++) Assert.InRange(pixels[1, expert].A, 0, 8); // even: the page shows through
    }

    [Fact]
    public void Samples_that_differ_show_both_texts_and_long_ones_are_cut()
    {
        var data = Full() with
        {
            Samples =
            [
                new ReportSample { Prompt = "p", Text = "plain words", TextSpeculative = "drafted words", AcceptanceRate = 0.5 },
                new ReportSample { Prompt = "q", Text = new string('x', 10_000) },
            ],
        };
        var (text, page) = Write(data);

        string[] samples = [.. page.Descendants("article").Select(a => a.Value)];
        Assert.Contains("plain words", samples[0], StringComparison.Ordinal);
        Assert.Contains("drafted words", samples[0], StringComparison.Ordinal);
        Assert.Contains("different text with drafts", samples[0], StringComparison.Ordinal);
        Assert.Contains("50.0% of drafts accepted", samples[0], StringComparison.Ordinal);
        Assert.EndsWith(" … (6,000 more characters)", samples[1], StringComparison.Ordinal);
        Assert.DoesNotContain("same text with drafts", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_earlier_page_is_replaced()
    {
        string path = Path.Combine(_folder.FullName, "report.html");
        File.WriteAllText(path, "earlier");
        TrainingReport.Write(path, Full());

        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.Equal([path], Directory.GetFiles(_folder.FullName));
    }

    [Fact]
    public void A_missing_folder_is_an_error_that_leaves_nothing() =>
        Assert.ThrowsAny<IOException>(() => TrainingReport.Write(Path.Combine(_folder.FullName, "missing", "report.html"), Full()));

    private static TrainingReportData Full() => new()
    {
        Title = "A small model",
        Corpus = "some text",
        Steps = SyntheticRun.Steps(200),
        Elapsed = TimeSpan.FromSeconds(178),
        Parameters = 4_212_992,
        ActiveParameters = 1_934_080,
        ValidationLoss = 3.21,
        BigramLoss = 4.021,
        AcceptanceRate = 0.711,
        DecodeTokensPerSecond = 812,
        DecodeTokensPerSecondSpeculative = 1140,
        FirstExpertLayer = 3,
        Samples = [new ReportSample { Prompt = "Gets or sets", Text = " the value.", TextSpeculative = " the value.", AcceptanceRate = 0.7, TokensPerSecond = 800, TokensPerSecondSpeculative = 1100 }],
        Shape = [new ReportRow("Layers", "5", "1 dense")],
        Settings = [new ReportRow("Seed", "1")],
        Command = "hadal quickstart --seed 1",
    };

    private (string Text, XElement Page) Write(TrainingReportData data)
    {
        string path = Path.Combine(_folder.FullName, "page.html");
        TrainingReport.Write(path, data);
        string text = File.ReadAllText(path);
        using var reader = XmlReader.Create(new StringReader(text), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return (text, XElement.Load(reader, LoadOptions.PreserveWhitespace));
    }

    private static string Body(string text) => text[text.IndexOf("<body>", StringComparison.Ordinal)..];

    private static string[] Tiles(XElement page) =>
        [.. page.Descendants("div").Where(d => d.Attribute("class")?.Value == "tile").Select(d => d.Elements().First().Value)];

    private static string TileValue(XElement page, string name) =>
        page.Descendants("div").Single(d => d.Attribute("class")?.Value == "tile" && d.Elements().First().Value == name).Elements().ElementAt(1).Value;

    // Numbers at the vertical axis: the labels that end where the axis is.
    private static IEnumerable<double> Labels(XElement page, string drawing) => page.Descendants("svg")
        .Single(s => s.Descendants().Attributes("id").Any(a => a.Value.StartsWith(drawing, StringComparison.Ordinal)))
        .Descendants("text").Where(t => t.Attribute("text-anchor")?.Value == "end")
        .Select(t => double.Parse(t.Value, System.Globalization.CultureInfo.InvariantCulture));

    private static (int Width, (byte R, byte G, byte B, byte A)[,] Pixels) Pixels(string data)
    {
        byte[] png = Convert.FromBase64String(data["data:image/png;base64,".Length..]);
        int width = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16));
        int height = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20));
        int chunk = png.AsSpan().IndexOf("IDAT"u8) + 4;
        using var inflate = new ZLibStream(new MemoryStream(png, chunk, png.Length - chunk), CompressionMode.Decompress);
        var raw = new byte[height * (1 + 4 * width)];
        inflate.ReadExactly(raw);
        var pixels = new (byte R, byte G, byte B, byte A)[width, height];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int at = y * (1 + 4 * width) + 1 + 4 * x;
                pixels[x, y] = (raw[at], raw[at + 1], raw[at + 2], raw[at + 3]);
            }
        }

        return (width, pixels);
    }

    [GeneratedRegex("base64,[A-Za-z0-9+/=]*")]
    private static partial Regex Images();
}
