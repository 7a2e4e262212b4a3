using System.Runtime.InteropServices;

namespace Hadal.Data.Sources.Documentation;

/// <summary>Where a .NET installation may be on this machine, most likely first.</summary>
internal static class DotnetRoots
{
    /// <summary>Directories that may hold <c>packs/</c>: existing or not, each once.</summary>
    public static IReadOnlyList<string> Find()
    {
        var roots = new List<string>();
        void Add(string? path)
        {
            if (string.IsNullOrWhiteSpace(path)) return;
            string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
            if (!roots.Contains(full, StringComparer.Ordinal)) roots.Add(full);
        }

        Add(Environment.GetEnvironmentVariable("DOTNET_ROOT_" + RuntimeInformation.ProcessArchitecture.ToString().ToUpperInvariant()));
        Add(Environment.GetEnvironmentVariable("DOTNET_ROOT"));

        // The running runtime is <root>/shared/Microsoft.NETCore.App/<version>/.
        Add(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        Add(Path.GetDirectoryName(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH")));
        string program = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        foreach (string directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            Add(DirectoryOfProgram(Path.Combine(directory.Trim('"'), program)));
        }

        if (OperatingSystem.IsWindows())
        {
            Add(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "dotnet"));
        }
        else
        {
            Add("/usr/share/dotnet");
            Add("/usr/lib/dotnet");
            Add("/usr/lib64/dotnet");
            Add("/usr/local/share/dotnet");
        }

        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (home.Length > 0) Add(Path.Combine(home, ".dotnet"));
        return roots;
    }

    /// <summary>Folders of NuGet packages, where a reference pack lies when the SDK came without one.</summary>
    public static string PackageFolder() =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } path
            ? path
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    // The program on the path is often a link (/usr/bin/dotnet) into the installation.
    private static string? DirectoryOfProgram(string program)
    {
        try
        {
            if (!File.Exists(program)) return null;
            string target = File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName ?? program;
            return Path.GetDirectoryName(target);
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }
}
