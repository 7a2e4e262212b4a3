using System.CommandLine;

namespace Hadal.Cli.CommandLine;

/// <summary>Options that every command has, and those that several commands share.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print the result as one JSON document on standard output, and nothing else there.",
        Recursive = true,
    };

    public static Option<bool> Verbose { get; } = new("--verbose")
    {
        Description = "Show the stack trace of an error.",
        Recursive = true,
    };

    /// <summary>A fresh argument that names a tokenizer.</summary>
    public static Argument<string> Tokenizer() => new("TOKENIZER") { Description = "A tokenizer.json, or a folder with one." };

    /// <summary>A fresh <c>--threads</c>.</summary>
    public static Option<int> Threads() => Numbers.Whole("--threads", "Threads that compute; 0 for one per processor.", 0, 0, 1024);
}
