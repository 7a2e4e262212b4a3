using System.IO.Compression;
using System.Text.Json;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>The reference tokenizers and what the reference library makes of texts, from tests/tokenizers.</summary>
internal static class TokenizerData
{
    private static readonly Lazy<Tokenizer> _v3Tokenizer = new(() => Tokenizer.Load(Folder("deepseek-v3")));

    internal static Tokenizer V3 => _v3Tokenizer.Value;

    internal static string Folder(string name) => Path.Combine(Root(), "tests", "tokenizers", name);

    internal static IEnumerable<(string Kind, string Text, int[] Ids)> Oracle(string folder, string file)
        => Lines(folder, file).Select(static e => (
            e.GetProperty("kind").GetString()!, e.GetProperty("text").GetString()!, Ids(e.GetProperty("ids"))));

    internal static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetInt32())];

    internal static IEnumerable<JsonElement> Lines(string folder, string file)
    {
        using Stream stream = File.OpenRead(Path.Combine(Folder(folder), file));
        using StreamReader reader = new(file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stream, CompressionMode.Decompress) : stream);
        while (reader.ReadLine() is { } line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            yield return document.RootElement.Clone();
        }
    }

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Hadal.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run outside the repository: no Hadal.slnx above them.");
    }
}
