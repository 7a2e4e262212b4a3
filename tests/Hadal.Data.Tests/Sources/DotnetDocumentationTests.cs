using Hadal.Data.Sources;

namespace Hadal.Data.Tests.Sources;

public class DotnetDocumentationTests
{
    private static string Xml(string type, string summary) =>
        $"<doc><members><member name=\"T:{type}\"><summary>{summary}</summary></member></members></doc>";

    [Fact]
    public void The_newest_pack_and_framework_is_read_in_ordinal_order()
    {
        using var root = new TemporaryFolder();
        root.Write("packs/Microsoft.NETCore.App.Ref/9.0.12/ref/net9.0/Old.xml", Xml("Old", "Old."));
        root.Write("packs/Microsoft.NETCore.App.Ref/10.0.0-rc.1/ref/net10.0/Preview.xml", Xml("Preview", "Preview."));
        root.Write("packs/Microsoft.NETCore.App.Ref/10.0.0/ref/net10.0/b.xml", Xml("B", "Bee."));
        root.Write("packs/Microsoft.NETCore.App.Ref/10.0.0/ref/net10.0/A.xml", Xml("A", "Ay."));
        root.Write("packs/Microsoft.NETCore.App.Ref/10.0.0/ref/net9.0/Lower.xml", Xml("Lower", "Lower."));
        root.Write("packs/Microsoft.AspNetCore.App.Ref/10.0.0/ref/net10.0/Web.xml", Xml("Web", "Web."));
        Directory.CreateDirectory(Path.Combine(root.Path, "packs/Microsoft.NETCore.App.Ref/11.0.0/ref/net11.0"));

        var all = DotnetDocumentation.Locate([Path.Combine(root.Path, "absent"), root.Path], root.Path);
        Assert.Equal(["A", "B", "Web"], all.Read().Select(d => d.Id));
        Assert.Equal("XML documentation of Microsoft.NETCore.App.Ref 10.0.0 and Microsoft.AspNetCore.App.Ref 10.0.0 (3 files)", all.Description);
        var core = DotnetDocumentation.Locate([root.Path], root.Path, aspNetCore: false);
        Assert.Equal(["A", "B"], core.Read().Select(d => d.Id));
    }

    [Fact]
    public void A_pack_among_the_downloaded_packages_is_found()
    {
        using var packages = new TemporaryFolder();
        packages.Write("microsoft.netcore.app.ref/10.0.3/ref/net10.0/A.xml", Xml("A", "Ay."));
        Assert.Equal(["A"], DotnetDocumentation.Locate([], packages.Path).Read().Select(d => d.Id));
    }

    [Fact]
    public void A_damaged_file_is_left_out_and_named_and_a_repeated_type_is_read_once()
    {
        using var root = new TemporaryFolder();
        root.Write("packs/Microsoft.NETCore.App.Ref/10.0.0/ref/net10.0/A.xml", Xml("Same", "First."));
        string damaged = root.Write("packs/Microsoft.NETCore.App.Ref/10.0.0/ref/net10.0/B.xml", Xml("Cut", "Lost.")[..60]);
        root.Write("packs/Microsoft.NETCore.App.Ref/10.0.0/ref/net10.0/C.xml", Xml("Same", "Second."));
        var warnings = new List<string>();
        Document document = Assert.Single(DotnetDocumentation.Locate([root.Path], root.Path).Read(warnings.Add));
        Assert.Equal("Same\n\nFirst.", document.Text);
        Assert.Contains(damaged, Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_found_says_where_it_looked_and_what_else_to_do()
    {
        using var root = new TemporaryFolder();
        DataException e = Assert.Throws<DataException>(() => DotnetDocumentation.Locate([root.Path], Path.Combine(root.Path, "packages")));
        Assert.Contains(Path.Combine(root.Path, "packs"), e.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(root.Path, "packages"), e.Message, StringComparison.Ordinal);
        Assert.Contains("--data PATH", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_documentation_of_this_machine_is_found_and_reads_alike_twice()
    {
        // The tests are built by an SDK, so its reference pack is here; the first few files suffice to see that it is prose.
        var documentation = DotnetDocumentation.Locate();
        List<Document> first = [.. documentation.Read().Take(200)];
        List<Document> second = [.. documentation.Read().Take(200)];
        Assert.Equal(first, second);
        Assert.Equal(200, first.Count);
        Assert.All(first, d => Assert.DoesNotContain("<see ", d.Text, StringComparison.Ordinal));
        Assert.Contains(first, d => d.Text.Contains("Initializes a new instance of the", StringComparison.Ordinal));
    }
}
