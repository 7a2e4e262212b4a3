using System.IO.Compression;
using System.Text.Json;

namespace Hadal.Data.Tests.Normalization;

/// <summary>The mixture corpus with planted truth, in the folder that HADAL_CORPORA names; for tests that run with <c>-explicit on</c> alone.</summary>
internal static class MixtureCorpus
{
    private static string Folder => Environment.GetEnvironmentVariable("HADAL_CORPORA") ?? throw new InvalidOperationException("HADAL_CORPORA names no folder.");

    internal static JsonDocument ReadTruth() => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "dedup-truth.json")));

    internal static Dictionary<string, (string Text, string Language)> Read()
    {
        Dictionary<string, (string, string)> documents = [];
        using StreamReader reader = new(new GZipStream(File.OpenRead(Path.Combine(Folder, "mixture.jsonl.gz")), CompressionMode.Decompress));
        // U+0085 and U+2028 are no line ends to ReadLine; a bare carriage return is escaped in JSON.
        while (reader.ReadLine() is { } line)
        {
            using var document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            documents.Add(root.GetProperty("id").GetString()!, (root.GetProperty("text").GetString()!, root.GetProperty("lang").GetString()!));
        }

        return documents;
    }

    /// <summary>The ids of one list of the truth.</summary>
    internal static HashSet<string> Ids(JsonDocument truth, string list) => [.. truth.RootElement.GetProperty(list).EnumerateArray().Select(static item => item.GetProperty("id").GetString()!)];
}
