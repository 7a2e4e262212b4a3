using System.Text.Json;
using Hadal.Cli.CommandLine;

namespace Hadal.Cli.Tests;

/// <summary>One run of the program inside the test process.</summary>
internal sealed record CliRun(int Code, string Out, string Error)
{
    public static CliRun Of(params string[] args) => WithInput("", args);

    public static CliRun WithInput(string input, params string[] args) => Of(args, new StringReader(input), s => s);

    /// <summary>A run whose standard error is watched, for instance to cancel at some point.</summary>
    public static CliRun Watched(Action<string> onError, CancellationToken cancellation, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new WatchedWriter(onError);
        int code = HadalProgram.RunAsync(args, output, error, cancellation).GetAwaiter().GetResult();
        return new CliRun(code, output.ToString(), error.ToString());
    }

    /// <summary>A run whose standard output is watched.</summary>
    public static CliRun OutputWatched(Action<string> onOutput, params string[] args)
    {
        using var output = new WatchedWriter(onOutput);
        using var error = new StringWriter();
        int code = HadalProgram.RunAsync(args, output, error, CancellationToken.None).GetAwaiter().GetResult();
        return new CliRun(code, output.ToString(), error.ToString());
    }

    /// <summary>A run that believes to be on a terminal.</summary>
    public static CliRun OnTerminal(bool colors, string input, params string[] args) => Of(
        args, new StringReader(input), s => s with { InIsTerminal = true, OutIsTerminal = true, ErrorIsTerminal = true, Colors = colors });

    private static CliRun Of(string[] args, TextReader input, Func<Streams, Streams> change)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = HadalProgram.RunAsync(args, change(new Streams(input, output, error)), CancellationToken.None).GetAwaiter().GetResult();
        return new CliRun(code, output.ToString(), error.ToString());
    }

    /// <summary>The result as JSON. All of standard output has to be that one document.</summary>
    public JsonElement Json()
    {
        Assert.True(Code == 0, $"exit code {Code}: {Error}");
        using var document = JsonDocument.Parse(Out);
        return document.RootElement.Clone();
    }

    /// <summary>Checks that this is a refusal as a user should see it, and returns its sentence.</summary>
    public string Refusal()
    {
        Assert.True(Code == 2, $"exit code {Code}, output: {Out}, error: {Error}");
        Assert.Empty(Out);
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", Error, StringComparison.Ordinal);
        string line = Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), l => l.StartsWith("error: ", StringComparison.Ordinal));
        Assert.EndsWith(".", line, StringComparison.Ordinal);
        Assert.DoesNotContain("..", line.Replace("...", "", StringComparison.Ordinal).Replace("../", "", StringComparison.Ordinal), StringComparison.Ordinal);
        return line["error: ".Length..];
    }

    private sealed class WatchedWriter(Action<string> watch) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            watch(value ?? "");
        }
    }
}
