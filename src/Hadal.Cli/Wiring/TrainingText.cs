using Hadal.Data.Sources;

namespace Hadal.Cli.Wiring;

/// <summary>The text that a run file or a command line names: files, folders, and the name that stands for the documentation of the .NET SDK.</summary>
internal static class TrainingText
{
    /// <summary>Stands for the XML documentation that every .NET SDK has.</summary>
    public const string DotnetDocumentationName = "dotnet-documentation";

    /// <summary>Opens every source, in the order of the names, so that a wrong path is told before any work is done.</summary>
    /// <param name="names">Files, folders, and <see cref="DotnetDocumentationName"/>.</param>
    /// <param name="folder">What relative paths are relative to.</param>
    /// <exception cref="Hadal.Data.DataException">A path does not exist or has no text.</exception>
    public static IReadOnlyList<IDocumentSource> Open(IEnumerable<string> names, string folder)
    {
        var sources = new List<IDocumentSource>();
        var paths = new List<string>();
        foreach (string name in names)
        {
            if (name != DotnetDocumentationName)
            {
                paths.Add(Path.GetFullPath(name, folder));
                continue;
            }

            Take();
            sources.Add(DotnetDocumentation.Locate());
        }

        Take();
        return sources;

        // Paths that follow each other are one source, so that it can tell an empty folder from an empty corpus.
        void Take()
        {
            if (paths.Count > 0) sources.Add(TextFiles.Open([.. paths]));
            paths.Clear();
        }
    }
}
