using System.Diagnostics;

namespace Hadal.Serving.Tests.Clients;

/// <summary>The same tour by OpenAI's package for Node (<c>openai-node/tour.mjs</c>), where Node and the package are there.</summary>
public sealed class NodePackageTests
{
    private static readonly string _folder = Path.Combine(GoldenData.Root, "tests", "Hadal.Serving.Tests", "Clients", "openai-node");

    [Fact]
    public async Task The_tour_by_openais_node_package_passes_every_stop()
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(_folder, "node_modules", "openai")), "the OpenAI package for Node is not installed (scripts/install-optional.sh installs it)");
        Assert.SkipUnless(HasNode(), "there is no node in the path");
        await using var server = await TestServer.StartAsync();
        var start = new ProcessStartInfo("node", ["tour.mjs", server.Url + "/v1"]) { WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using var node = Process.Start(start)!;
        var output = node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await node.WaitForExitAsync(TestContext.Current.CancellationToken).BoundedAsync();
        Assert.True(node.ExitCode == 0, await output + await errors);
        Assert.Equal(12, (await output).Split('\n').Count(l => l.StartsWith("passed: ", StringComparison.Ordinal)));

        // What was left in the middle is gone from the engine.
        await server.IdleAsync();
    }

    private static bool HasNode() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? "node.exe" : "node")));
}
