using System.Globalization;
using System.Xml.Linq;
using Hadal.Serving.Tests.Page;

namespace Hadal.Cli.Tests.Reports;

/// <summary>The page that draws a timeline, as a browser shows it.</summary>
public sealed class TimelinePageTests(Browser browser) : IClassFixture<Browser>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_loads_nothing_complains_of_nothing_and_draws_in_both_colour_schemes()
    {
        await using var page = await OpenAsync("dualpipe", 4, 8);
        await page.WaitAsync("document.getElementById('lanes').dataset.to === '26'");
        Assert.Contains("DualPipe, 4 ranks, 8 micro-batches", await page.TextAsync("h1"), StringComparison.Ordinal);
        Assert.Contains("7.7%", await page.TextAsync(".tiles"), StringComparison.Ordinal);
        Assert.Contains("5 chunks", await page.TextAsync(".tiles"), StringComparison.Ordinal);
        var light = (await page.ReadAsync(Pixel)).Numbers();
        await page.SchemeAsync("dark");
        await page.WaitAsync($"String({Pixel}) !== '{string.Join(',', light)}'");

        // What stands first on rank 0 is a forward: blue in both schemes.
        Assert.True(light[2] > light[0] + 60);
        var dark = (await page.ReadAsync(Pixel)).Numbers();
        Assert.True(dark[2] > dark[0] + 60);
        Assert.Empty(page.Complaints);
        Assert.All(page.Requests, address => Assert.StartsWith("file://", address, StringComparison.Ordinal));
        Assert.Single(page.Requests.Distinct());
    }

    [Fact]
    public async Task The_mouse_shows_details_moves_and_zooms()
    {
        await using var page = await OpenAsync("dualpipe", 4, 8);

        // Rank 1 waits for the first forward; its overlapped pairs follow.
        var (x, y) = await PlaceAsync(page, 1, 1.5);
        await page.MouseAsync("mouseMoved", x, y);
        await page.WaitAsync("!document.getElementById('details').hidden");
        Assert.Equal(
            ["Forward", "micro-batch 0 of direction 0, stage 1", "rank 1: 1 to 2, takes 1", "waited 1 before it", "on the critical path", "holds activations of 1 chunk"],
            (await page.TextAsync("#details")).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        (x, y) = await PlaceAsync(page, 1, 12);
        await page.MouseAsync("mouseMoved", x, y);
        await page.WaitAsync("document.getElementById('details').innerText.startsWith('Forward overlapped')");
        Assert.Contains("backward of micro-batch 1 of direction 1, stage 2", await page.TextAsync("#details"), StringComparison.Ordinal);

        await page.MouseAsync("mousePressed", x, y);
        await page.MouseAsync("mouseReleased", x, y);
        await page.MouseAsync("mouseWheel", x, y, -300);
        await page.WaitAsync("lanes.dataset.to - lanes.dataset.from < 20");
        double under = await TimeAsync(page, x);
        Assert.Equal(12, under, 0.2);

        double from = await NumberAsync(page, "+lanes.dataset.from");
        await page.MouseAsync("mousePressed", x, y);
        await page.MouseAsync("mouseMoved", x - 100, y);
        await page.MouseAsync("mouseReleased", x - 100, y);
        await page.WaitAsync(FormattableString.Invariant($"+lanes.dataset.from > {from} + 0.5"));
        await page.ClickAsync("#all");
        await page.WaitAsync("lanes.dataset.from === '0' && lanes.dataset.to === '26'");
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task The_critical_path_can_be_brought_out()
    {
        await using var page = await OpenAsync("dualpipe", 4, 8);
        Assert.Contains("100.0%", await page.TextAsync(".tiles"), StringComparison.Ordinal);

        // What is not on the path fades, what is on it stays.
        int[] before = await ColumnAsync(page);
        await page.ClickAsync("#critical");
        await page.WaitAsync("critical.getAttribute('aria-pressed') === 'true'");
        await page.WaitAsync($"({Column}).join() !== '{string.Join(',', before)}'");
        int[] during = await ColumnAsync(page);
        Assert.Contains(Enumerable.Range(0, before.Length), i => before[i] == during[i]);
        await page.ClickAsync("#critical");
        await page.WaitAsync($"({Column}).join() === '{string.Join(',', before)}'");
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task The_keyboard_alone_is_enough()
    {
        await using var page = await OpenAsync("zb1p", 2, 4);
        await page.ReadAsync("lanes.focus()");
        string whole = await page.ReadAsync("lanes.dataset.to") is var to ? to.GetString()! : "";
        await page.PressAsync("+", 187);
        await page.PressAsync("Home", 36);
        await page.WaitAsync($"lanes.dataset.from === '0' && +lanes.dataset.to < {whole}");
        await page.PressAsync("ArrowRight", 39);
        await page.WaitAsync("+lanes.dataset.from > 0");
        await page.PressAsync("0", 48);
        await page.WaitAsync($"lanes.dataset.from === '0' && lanes.dataset.to === '{whole}'");
        await page.PressAsync(".", 190);
        await page.WaitAsync("details.innerText.startsWith('Forward')");
        await page.PressAsync(".", 190);
        await page.PressAsync(".", 190);
        await page.WaitAsync("details.innerText.startsWith('Backward for inputs')");
        await page.PressAsync("ArrowDown", 40);
        await page.WaitAsync("details.innerText.includes('rank 1')");
        await page.PressAsync("Escape", 27);
        await page.WaitAsync("details.hidden");
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Names_from_a_trace_stay_text()
    {
        string trace = _folder.Write("trace.json", """[{"name":"</script><script>window.bad=1</script><img src=x onerror=bad()>","ph":"X","ts":0,"dur":9},{"name":"F.0.0","ph":"X","ts":0,"dur":9,"tid":1}]""");
        var run = CliRun.Of("plan", "--trace", trace, "--view", _folder.File("page.html"));
        Assert.Equal(0, run.Code);
        XDocument.Load(_folder.File("page.html"));
        await using var page = await browser.OpenAsync("file://" + _folder.File("page.html"));
        await page.WaitAsync("lanes.dataset.to");
        Assert.False((await page.ReadAsync("'bad' in window")).GetBoolean());
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public void The_page_is_well_formed_and_names_no_other_place()
    {
        Write("dualpipev", 2, 4);
        string text = File.ReadAllText(_folder.File("page.html"));
        XDocument.Parse(text[text.IndexOf('\n', StringComparison.Ordinal)..]);
        Assert.DoesNotContain("http://", text, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", text, StringComparison.Ordinal);
        Assert.Contains("script-src 'sha256-", text, StringComparison.Ordinal);
    }

    private const string Pixel = "(() => { const c = document.getElementById('lanes'), r = c.width / c.clientWidth; return [...c.getContext('2d').getImageData(76 * r, 33 * r, 1, 1).data]; })()";

    /// <summary>Red of the four ranks' operations half a time unit after rank 0 has begun its fourth operation.</summary>
    private const string Column = "(() => { const c = document.getElementById('lanes'), r = c.width / c.clientWidth, x = 65 + 3.7 / 26 * (c.clientWidth - 73); return [0, 1, 2, 3].map((i) => c.getContext('2d').getImageData(x * r, (34 + 57 * i) * r, 1, 1).data[0]); })()";

    private static async Task<int[]> ColumnAsync(BrowserPage page) => [.. (await page.ReadAsync(Column)).Numbers().Select(n => (int)n)];

    private async Task<BrowserPage> OpenAsync(string kind, int ranks, int microBatches)
    {
        Write(kind, ranks, microBatches);
        var page = await browser.OpenAsync("file://" + _folder.File("page.html"));
        await page.WaitAsync("lanes.dataset.to");
        return page;
    }

    private void Write(string kind, int ranks, int microBatches) =>
        Assert.Equal(0, CliRun.Of("plan", "schedule", "--kind", kind, "--ranks", $"{ranks}", "--micro-batches", $"{microBatches}", "--view", _folder.File("page.html")).Code);

    /// <summary>Where in the window a rank is at a time, while the whole step is shown.</summary>
    private static async Task<(double X, double Y)> PlaceAsync(BrowserPage page, int rank, double time)
    {
        var box = (await page.ReadAsync("(() => { lanes.scrollIntoView(); const r = lanes.getBoundingClientRect(); return [r.left, r.top, r.width]; })()")).Numbers();
        double label = await LabelAsync(page);
        return (box[0] + label + time / 26 * (box[2] - label - 8), box[1] + 30 + rank * 57 + 14);
    }

    private static async Task<double> TimeAsync(BrowserPage page, double x)
    {
        var box = (await page.ReadAsync("(() => { const r = lanes.getBoundingClientRect(); return [r.left, r.width, +lanes.dataset.from, +lanes.dataset.to]; })()")).Numbers();
        double label = await LabelAsync(page);
        return box[2] + (x - box[0] - label) / (box[1] - label - 8) * (box[3] - box[2]);
    }

    /// <summary>Width of the names of ranks, by the length of "rank 0".</summary>
    private static Task<double> LabelAsync(BrowserPage page) => NumberAsync(page, "22 + 7.2 * 6");

    private static async Task<double> NumberAsync(BrowserPage page, string expression) => double.Parse((await page.ReadAsync($"String({expression})")).GetString()!, CultureInfo.InvariantCulture);
}
