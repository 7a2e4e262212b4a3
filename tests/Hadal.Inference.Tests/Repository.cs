namespace Hadal.Inference.Tests;

internal static class Repository
{
    /// <summary>A folder of the reference data.</summary>
    public static string Golden(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Hadal.slnx"))) return Path.Combine(folder.FullName, "tests", "golden", name);
        }

        throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}
