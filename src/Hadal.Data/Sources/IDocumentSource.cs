namespace Hadal.Data.Sources;

/// <summary>A place that documents come from.</summary>
public interface IDocumentSource
{
    /// <summary>What it is, for a person ("XML documentation of Microsoft.NETCore.App.Ref 10.0.1, 102 files").</summary>
    string Description { get; }

    /// <summary>
    /// Streams the documents, always in the same order, holding about one of them (or one documentation file) at a time. May be called again.
    /// </summary>
    /// <param name="warn">Receives one sentence for each thing that was left out (a damaged file, a bad line); null to ignore them.</param>
    /// <exception cref="DataException">Nothing usable was found, or a file cannot be read.</exception>
    IEnumerable<Document> Read(Action<string>? warn = null);
}
