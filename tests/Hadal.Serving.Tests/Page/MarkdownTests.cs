using System.Text.Json;

namespace Hadal.Serving.Tests.Page;

/// <summary>The page's Markdown, as its module renders it in a browser.</summary>
public sealed class MarkdownTests(Browser browser) : IClassFixture<Browser>, IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Each_form_becomes_its_elements()
    {
        await using var page = await browser.OpenAsync(_server.Url);
        await RendersAsync(page, "one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>");
        await RendersAsync(page, "# A\n### B ##", "<h3>A</h3><h5>B</h5>");
        await RendersAsync(page, "a **b *c* d** _e_ ~~f~~ snake_case_name 2*3*4", "<p>a <strong>b <em>c</em> d</strong> <em>e</em> <del>f</del> snake_case_name 2<em>3</em>4</p>");
        await RendersAsync(page, "`a < b` and ``c ` d``", "<p><code>a &lt; b</code> and <code>c ` d</code></p>");
        await RendersAsync(page, "- a\n- b\n  - c\n\n1. d\n2. e", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><ol><li>d</li><li>e</li></ol>");
        await RendersAsync(page, "3. a\n\n4. b", "<ol start=\"3\"><li><p>a</p></li><li><p>b</p></li></ol>");
        await RendersAsync(page, "> a\n> - b", "<blockquote><p>a</p><ul><li>b</li></ul></blockquote>");
        await RendersAsync(page, "---", "<hr>");
        await RendersAsync(page, "<b>&amp;</b>", "<p>&lt;b&gt;&amp;amp;&lt;/b&gt;</p>");
        await RendersAsync(page, "\\*a\\*", "<p>*a*</p>");
        await RendersAsync(page, "| a | b |\n|---|--:|\n| 1 | **2** |", "<div class=\"table\" tabindex=\"0\"><table><thead><tr><th>a</th><th data-align=\"end\">b</th></tr></thead><tbody><tr><td>1</td><td data-align=\"end\"><strong>2</strong></td></tr></tbody></table></div>");
        const string Link = "target=\"_blank\" rel=\"noopener noreferrer nofollow\"";
        await RendersAsync(page, "[a](https://example.org/x_(y)) https://example.org/z.", $"<p><a href=\"https://example.org/x_(y)\" {Link}>a</a> <a href=\"https://example.org/z\" {Link}>https://example.org/z</a>.</p>");
        await RendersAsync(page, "[a](javascript:alert) [b](data:text/html,x) [c](file:///etc) [d](/v1)", "<p>[a](javascript:alert) [b](data:text/html,x) [c](file:///etc) [d](/v1)</p>");
        Assert.Equal("int a;\n**b**", (await page.ReadAsync($"{Render("```cs\nint a;\n**b**")}.querySelector('figure pre code').textContent")).GetString());
    }

    [Fact]
    public async Task What_comes_piece_by_piece_ends_as_what_comes_at_once()
    {
        const string Text = "# T\n\nOne **two\nthree** `four`\n\n- a\n- b\n  1. c\n\n```js\nx\n```\n\n| a |\n|---|\n| 1 |\n\n> q\n\nend";
        await using var page = await browser.OpenAsync(_server.Url);
        string same = $$"""
            await (async () => {
              const { show } = await import("/hadal/markdown.js");
              const text = {{JsonSerializer.Serialize(Text)}}, piecemeal = document.createElement("div"), whole = document.createElement("div");
              for (let i = 1; i <= text.length; i++) show(piecemeal, text.slice(0, i));
              show(whole, text);
              return piecemeal.innerHTML === whole.innerHTML && whole.childElementCount === 7;
            })()
            """;
        Assert.True((await page.ReadAsync(same)).GetBoolean());
    }

    [Fact]
    public async Task Text_made_to_cost_time_is_shown_all_the_same()
    {
        await using var page = await browser.OpenAsync(_server.Url);
        foreach (string part in (string[])["*", "_", "**a", "[", "[a](", "`", "> ", "- ", "|", "\\", "*a_", "https://"])
        {
            string text = string.Concat(Enumerable.Repeat(part, 20000 / part.Length));
            Assert.True((await page.ReadAsync($"{Render(text)}.childNodes.length > 0")).GetBoolean());
        }

        Assert.Empty(page.Complaints);
    }

    private static async Task RendersAsync(BrowserPage page, string text, string expected) =>
        Assert.Equal(expected, (await page.ReadAsync($"{Render(text)}.innerHTML")).GetString());

    private static string Render(string text) =>
        $$"""(await (async () => { const { show } = await import("/hadal/markdown.js"); const place = document.createElement("div"); show(place, {{JsonSerializer.Serialize(text)}}); return place; })())""";
}
