using System.Text;
using Hadal.Data.Sources;
using Hadal.Data.Sources.Pages;

namespace Hadal.Data.Tests.Sources;

public class PageInputTests
{
    private const string Sentence = "The abyssal plain is the largest habitat on the planet, and until the last century almost nothing was known of what lives there.";
    private const string Other = "Sediment arrives from above as marine snow: dead plankton, shells and dust that may sink for weeks before they come to rest.";

    [Fact]
    public void The_main_text_stays_and_what_surrounds_it_goes()
    {
        string html = $"""
            <!DOCTYPE html><html lang=en><head><title>Deep sea</title><style>p {"{"} color: red {"}"}</style><script>var x = "<p>{Other}</p>";</script></head>
            <body class="has-sidebar nav"><header><a href="/">Home</a> The site of the sea</header><nav><ul><li><a href="/a">One</a><li><a href="/b">Two</a></ul></nav>
            <div class="cookie-banner">We use cookies, as everybody does, and we would be very pleased indeed if you would agree to all of that now.</div>
            <div id="content"><h1>The hadal &amp; abyssal zones</h1><p>{Sentence}<p>{Other} <a href="/x">More</a>, with <b>bold</b>&nbsp;and <i>ital</i>ic.
            <ul><li>trenches<li>plains<ul><li>deep ones</ul></ul><ol><li><p>first</p><li>second</ol>
            <table><tr><th>Zone</th><th>Depth</th></tr><tr><td>abyssal<td>4000 m</table>
            <pre>
            if (x)
                y  =  2;
            </pre><p>{Sentence}</p></div>
            <aside><p>{Other} {Other}</p></aside><div style="display: none"><p>{Other}</p></div>
            <p><a href="/1">Related story one</a> <a href="/2">Related story two</a></p><form><p>Search our pages:</p><input><select><option>all</select><button>Go</button></form>
            <footer>© 2020 The site. All rights reserved by those who have them, which is to say by nobody here.</footer><script>track();</script></body></html>
            """;
        string expected = $"""
            The hadal & abyssal zones

            {Sentence}

            {Other} More, with bold{'\u00A0'}and italic.

            - trenches
            - plains
              - deep ones
            1. first
            2. second

            Zone | Depth
            abyssal | 4000 m

            if (x)
                y  =  2;

            {Sentence}
            """;
        Assert.Equal(expected.ReplaceLineEndings("\n"), Extract(html));
    }

    [Fact]
    public void A_marked_region_counts_where_it_holds_most_of_the_text()
    {
        string outside = $"<div><p>{Other}</p><p>short</p></div>";
        Assert.Equal($"Title\n\nshort note\n\n{Sentence}\n\n{Sentence}\n\nend", Extract($"{outside}<article><header><h1>Title</h1></header>short note<p>{Sentence}<p>{Sentence}</p>end</article><p>Imprint</p>"));
        Assert.Contains(Other, Extract($"{outside}{outside}{outside}<article><p>{Sentence}</article>"), StringComparison.Ordinal);
    }

    [Fact]
    public void Short_blocks_follow_their_neighbours()
    {
        Assert.Equal($"Heading\n\n{Sentence}\n\nyes\n\n{Other}", Extract($"<p>Log in</p><p>Register</p><h2>Heading</h2><p>{Sentence}</p><p>yes</p><p>{Other}</p><h2>More</h2><p><a href=x>a link that is long enough to be one</a>"));
        Assert.Equal("Only this.", Extract("<p>Only this."));
        Assert.Equal("", Extract("<nav>Only that.</nav><p><a href=x>and a link</a>"));
    }

    [Fact]
    public void A_page_that_stands_in_one_form_is_kept_and_a_search_box_is_not()
    {
        Assert.Equal(Sentence, Extract($"<form id=aspnetForm><p>{Sentence}</p><input></form>"));
        Assert.Equal(Sentence, Extract($"<form><p>{Other}</p></form><div>{Sentence}</div>"));
    }

    [Fact]
    public void Text_without_blanks_counts_as_sentences_too() =>
        Assert.Equal("深海は太陽の光が届かない世界であり、そこに住む生物の多くはまだ知られていない。", Extract("<div><a href=/>首页</a></div><div>深海は太陽の光が届かない世界であり、そこに住む生物の多くはまだ知られていない。</div><div><a href=/>お問い合わせ</a></div>"));

    [Fact]
    public void Lines_and_blanks_are_as_browsers_show_them()
    {
        Assert.Equal("a b\nc\n\nd", Extract("<p> a \n\t b <br> c<br> <br>d </p>"));
        Assert.Equal("one\n  two\nthree", Extract("<pre>\none<br>  two<div>three</div></pre>"));
        Assert.Equal("x < y & z é 😀", Extract("<p>x &lt; y &amp z &eacute; &#x1F600;"));
        Assert.Equal("fine", Extract("<p>fine<svg><text>not this</text></svg><svg/></p>"));
    }

    [Theory]
    [InlineData("windows-1252", "caf\u00e9 \u20ac")]
    [InlineData("shift_jis", "深海")]
    [InlineData("gb18030", "深海鱼")]
    [InlineData("euc-kr", "심해")]
    [InlineData("utf-8", "深海 é")]
    public void The_page_names_its_encoding(string name, string text)
    {
        using var folder = new TemporaryFolder();
        byte[] page = [.. Encoding.ASCII.GetBytes($"<html><head><script>'charset=utf-7'</script><META http-equiv=content-type content='text/html; charset={name}'></head><p>"), .. System.Text.CodePagesEncodingProvider.Instance.GetEncoding(name)?.GetBytes(text) ?? Encoding.UTF8.GetBytes(text)];
        var report = new InputReaderTests.Problems();
        SourceDocument document = Assert.Single(InputReaderTests.Read(folder.Write("a/page.html", page), report));
        Assert.Equal((text, "page.html", "page.html", null), (document.Text, document.Id, document.Place, document.Language));
        Assert.Empty(report.All);
    }

    [Fact]
    public void Marks_fallbacks_repairs_and_bounds_hold_for_pages()
    {
        using var folder = new TemporaryFolder();
        var report = new InputReaderTests.Problems();
        Assert.Equal("wide é", InputReaderTests.Read(folder.Write("a.html", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("<meta charset=latin1><p>wide é")]), report).Single().Text);
        Assert.Equal("é", InputReaderTests.Read(folder.Write("b.htm", [0xE9]), report, new InputOptions { FallbackEncoding = "windows-1252" }).Single().Text);
        Assert.Empty(report.All);
        Assert.Equal("x\uFFFDy", InputReaderTests.Read(folder.Write("c.html", [(byte)'x', 0xE9, (byte)'y']), report).Single().Text);
        Assert.Empty(InputReaderTests.Read(folder.Write("d.html", "<nav>x</nav>"), report));
        Assert.Empty(InputReaderTests.Read(folder.Write("e.html", new string('x', 5000)), report, new InputOptions { MaximumDocumentBytes = 4096 }));
        Assert.Equal(["it is not valid UTF-8 in 1 places; U+FFFD stands for what is invalid", "the page has no text", "the page is longer than 4096 bytes"], report.All.Select(p => p.Reason));
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "", "<div>" },
        { "", "<p><div>" },
        { "", "<b>" },
        { "", "<a href=x>" },
        { "", "<ul><li>" },
        { "", "<table><tr><td>" },
        { "", "</p>" },
        { "<div><span><i>", "</b></u></x>" },
        { "", "<" },
        { "", "&" },
        { "", "&amp" },
        { "", "<!--" },
        { "<script>", "<!--<script>" },
        { "<title>", "</titl" },
        { "<p ", "a=1 " },
        { "<p ", "class=1 " },
        { "<p class='", "ad " },
        { "<", "x" },
        { "<p>", "x<br>" },
        { "<pre>", "<div>\n" },
        { "<pre>", "\n" },
        { "<p>", "word " },
        { "", "<h1>a" },
        { "", "<li>a" },
        { "<select>", "<option>a" },
        { "<svg>", "<title>" },
        { "", "<p>x</p>" },
        { "<article>", "<p>x</p>" },
        { "", "<form><p>x" },
        { "", "<x\0y\0>" },
    };

    // Forty times the text may take forty times the allocations, not sixteen hundred times: no step depends on the length of what came before.
    [Theory]
    [MemberData(nameof(Hostile))]
    public void Work_grows_no_faster_than_the_page(string front, string repeated)
    {
        Extract(front + Repeat(repeated, 1000));
        long one = Allocated(front + Repeat(repeated, 25_000)), forty = Allocated(front + Repeat(repeated, 1_000_000));
        Assert.InRange(forty, 0, (80 * one) + 4_000_000);

        static long Allocated(string html)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            string text = Extract(html);
            Assert.InRange(text.Length, 0, (6 * html.Length) + 10);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Many_different_elements_and_attributes_are_no_more_work_than_equal_ones()
    {
        string many = string.Concat(Enumerable.Range(0, 60_000).Select(i => $"<b{i} id={i}><p a{i}=1>x"));
        Assert.InRange(Extract(many).Length, 60_000, 200_000);
        Assert.Equal("x", Extract("<p " + string.Concat(Enumerable.Range(0, 100_000).Select(i => $"a{i}=1 ")) + ">x"));
    }

    [Fact]
    public void Pages_of_random_markup_give_text_and_nothing_else()
    {
        string[] pieces = ["<p>", "</p>", "<div>", "</div>", "<pre>", "</pre>", "<table>", "<tr>", "<td>", "</table>", "<li>", "<ul>", "</ul>", "<ol>", "<a href=x>", "</a>", "<nav>", "</nav>", "<form>", "</form>", "<h1>", "</h1>", "<br>", "<script>", "</script>", "<article>", "</article>", "<svg/>", "<title>", "&lt;", "&#0;", "\0", " words ", "\n", "x", "<!-- ", "-->", "<", ">", "\"", "'", "<p class='", "=", "</", "<body>", "</html>", Sentence];
        var random = new Random(3);
        int texts = 0;
        for (int i = 0; i < 3000; i++)
        {
            string html = string.Concat(Enumerable.Range(0, random.Next(1, 60)).Select(_ => pieces[random.Next(pieces.Length)]));
            string text = Extract(html);
            Assert.Equal(text, Extract(html));
            Assert.Equal(text.TrimStart('\n'), text);
            if (text.Length > 0) texts++;
        }

        Assert.InRange(texts, 500, 3000);
    }

    private static string Extract(string html) => MainText.Of(html.AsMemory());

    private static string Repeat(string text, int characters) => new StringBuilder().Insert(0, text, characters / text.Length).ToString();
}
