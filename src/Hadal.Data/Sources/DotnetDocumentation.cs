using System.Globalization;
using System.Xml;
using Hadal.Data.Sources.Documentation;

namespace Hadal.Data.Sources;

/// <summary>
/// The XML documentation that every .NET SDK ships beside its reference assemblies, as one readable text per type: some ten million characters of
/// technical English that are on every machine that can build this program.
/// </summary>
public sealed class DotnetDocumentation : IDocumentSource
{
    private static readonly string[] _packs = ["Microsoft.NETCore.App.Ref", "Microsoft.AspNetCore.App.Ref"];

    // One of the largest files, but its entries are instruction listings ("__m256i _mm256_add_epi8 (__m256i a, __m256i b)"), not sentences.
    private static readonly string[] _notProse = ["System.Runtime.Intrinsics.xml"];

    private readonly IReadOnlyList<string> _files;

    private DotnetDocumentation(IReadOnlyList<string> files, string description)
    {
        _files = files;
        Description = description;
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <summary>The documentation files, in the order in which they are read.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>
    /// Finds the newest reference packs of the SDKs on this machine: under <c>DOTNET_ROOT</c>, around the running runtime, beside the <c>dotnet</c> on the path, in
    /// the usual places, and among the downloaded packages.
    /// </summary>
    /// <param name="aspNetCore">Whether the documentation of ASP.NET Core, where present, comes after that of the base libraries.</param>
    /// <exception cref="DataException">No documentation was found; the sentence lists the places and the alternative.</exception>
    public static DotnetDocumentation Locate(bool aspNetCore = true) => Locate(DotnetRoots.Find(), DotnetRoots.PackageFolder(), aspNetCore);

    internal static DotnetDocumentation Locate(IReadOnlyList<string> roots, string packageFolder, bool aspNetCore = true)
    {
        var files = new List<string>();
        var found = new List<string>();
        foreach (string pack in aspNetCore ? _packs : _packs[..1])
        {
            string? newest = roots.Select(root => NewestReference(Path.Combine(root, "packs", pack))).FirstOrDefault(p => p is not null)
                ?? NewestReference(Path.Combine(packageFolder, pack.ToLowerInvariant()));
            if (newest is null) continue;
            files.AddRange(DocumentationIn(newest));

            // <pack>/<version>/ref/net10.0
            string version = Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(newest)))!;
            found.Add($"{pack} {version}");
        }

        if (files.Count == 0)
        {
            IEnumerable<string> places = roots.Select(root => Path.Combine(root, "packs")).Append(packageFolder);
            throw new DataException(
                "The .NET SDK's XML documentation (packs/Microsoft.NETCore.App.Ref/<version>/ref/net*/*.xml) was not found; looked in "
                + $"{string.Join(", ", places)}. Install the .NET SDK (the runtime alone has no documentation), set DOTNET_ROOT, or give your own text with --data PATH.");
        }

        return new DotnetDocumentation(files, $"XML documentation of {string.Join(" and ", found)} ({files.Count.ToString(CultureInfo.InvariantCulture)} files)");
    }

    /// <inheritdoc/>
    /// <remarks>A type that several files document is read from the first of them. A damaged file is left out with a warning.</remarks>
    public IEnumerable<Document> Read(Action<string>? warn = null)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        bool any = false;
        foreach (string file in _files)
        {
            foreach (Document document in ReadFile(file, warn))
            {
                if (!seen.Add(document.Id)) continue;
                any = true;
                yield return document;
            }
        }

        if (!any) throw new DataException($"None of the {_files.Count} XML documentation files could be used (the first is {_files[0]}); give your own text with --data PATH.");
    }

    private static IReadOnlyList<Document> ReadFile(string file, Action<string>? warn)
    {
        try
        {
            return DocumentationFile.Read(file);
        }
        catch (Exception e) when (e is XmlException or IOException or UnauthorizedAccessException)
        {
            warn?.Invoke($"Left out {file}: {e.Message}");
            return [];
        }
    }

    private static string? NewestReference(string pack)
    {
        if (!Directory.Exists(pack)) return null;
        string[] versions;
        try
        {
            versions = Directory.GetDirectories(pack);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        return versions
            .OrderByDescending(v => NuGetOrder(Path.GetFileName(v)))
            .Select(NewestFramework)
            .FirstOrDefault(r => r is not null);
    }

    private static string? NewestFramework(string version)
    {
        string reference = Path.Combine(version, "ref");
        if (!Directory.Exists(reference)) return null;
        return Directory.GetDirectories(reference, "net*")
            .OrderByDescending(d => NuGetOrder(Path.GetFileName(d)["net".Length..]))
            .FirstOrDefault(d => DocumentationIn(d).Any());
    }

    private static IEnumerable<string> DocumentationIn(string directory) =>
        Directory.GetFiles(directory, "*.xml")
            .Where(f => !_notProse.Contains(Path.GetFileName(f), StringComparer.OrdinalIgnoreCase))
            .OrderBy(f => Path.GetFileName(f), StringComparer.Ordinal);

    // 10.0.1 after 9.0.12; a preview (10.0.0-rc.1) before its release.
    private static (Version Version, bool Release, string Suffix) NuGetOrder(string name)
    {
        int dash = name.IndexOf('-', StringComparison.Ordinal);
        string number = dash < 0 ? name : name[..dash];
        return (Version.TryParse(number, out Version? version) ? version : new Version(0, 0), dash < 0, dash < 0 ? "" : name[dash..]);
    }
}
