using Hadal.Model.Checkpoints;

namespace Hadal.Cli.Wiring;

/// <summary>The files that a model folder needs for its tokenizer.</summary>
internal static class TokenizerFiles
{
    private const string FileName = "tokenizer.json";

    /// <summary>Finds them.</summary>
    /// <param name="path">A tokenizer file that can be loaded, or a folder with one.</param>
    /// <param name="folder">Where a file with another name is copied to, to get the name that every program looks for.</param>
    /// <returns>Paths, to be copied under their own names.</returns>
    public static IReadOnlyList<string> Find(string path, string folder)
    {
        string home = Directory.Exists(path) ? path : Path.GetDirectoryName(path)!;
        string file = !Directory.Exists(path) ? path : Path.Combine(home, FileName) is var plain && File.Exists(plain) ? plain : plain + ".gz";
        bool packed = file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        string name = packed ? FileName + ".gz" : FileName;
        if (Path.GetFileName(file) != name)
        {
            Directory.CreateDirectory(folder);
            string copy = Path.Combine(folder, name);
            AtomicFile.Write(copy, stream =>
            {
                using var source = File.OpenRead(file);
                source.CopyTo(stream);
            });
            file = copy;
        }

        IEnumerable<string> beside = ["tokenizer_config.json", "chat_template.jinja"];
        return [file, .. beside.Select(n => Path.Combine(home, n)).Where(File.Exists)];
    }
}
