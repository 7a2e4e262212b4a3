using System.IO.Compression;
using System.Text.Json;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>The reference tokenizers and what the reference library makes of texts, from tests/tokenizers.</summary>
internal static class TokenizerData
{
    private static readonly Lazy<Tokenizer> _v3Tokenizer = new(() => Tokenizer.Load(Folder("deepseek-v3")));

    internal static Tokenizer V3 => _v3Tokenizer.Value;

    internal static string Folder(string name) => Path.Combine(GoldenData.Root, "tests", "tokenizers", name);

    internal static IEnumerable<(string Kind, string Text, int[] Ids)> Oracle(string folder, string file)
        => Lines(folder, file).Select(static e => (
            e.GetProperty("kind").GetString()!, e.GetProperty("text").GetString()!, Ids(e.GetProperty("ids"))));

    internal static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetInt32())];

    internal static IEnumerable<JsonElement> Lines(string folder, string file)
    {
        using StreamReader reader = Open(folder, file);
        while (reader.ReadLine() is { } line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            yield return document.RootElement.Clone();
        }
    }

    /// <summary>A text file, unpacked if it is packed.</summary>
    internal static StreamReader Open(string folder, string file)
    {
        Stream stream = File.OpenRead(Path.Combine(Folder(folder), file));
        return new StreamReader(file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stream, CompressionMode.Decompress) : stream);
    }
}
