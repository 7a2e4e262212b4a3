using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hadal.Model.Checkpoints;

namespace Hadal.Training.Checkpoints;

/// <summary><c>manifest.json</c> of a training checkpoint: length and SHA-256 of every other file of the folder. It is written last.</summary>
internal static class CheckpointManifest
{
    public const string FileName = "manifest.json";

    /// <summary>Lists what is in a folder.</summary>
    public static void Write(string folder)
    {
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => new ManifestEntry(Path.GetRelativePath(folder, path).Replace('\\', '/'), new FileInfo(path).Length, Hash(path)))
            .Where(f => f.Path != FileName)
            .OrderBy(f => f.Path, StringComparer.Ordinal)
            .ToArray();
        AtomicFile.Write(Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, files, ManifestJson.Default.ManifestEntryArray));
    }

    /// <summary>Compares a folder with its list.</summary>
    /// <returns>Which file differs and how, as a part of a sentence; null if all are as they were written.</returns>
    public static string? FindDamage(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            if (!File.Exists(path)) return $"{FileName} is missing, which is written last";
            var files = JsonSerializer.Deserialize(File.ReadAllBytes(path), ManifestJson.Default.ManifestEntryArray);
            if (files is not { Length: > 0 }) return $"{FileName} lists no files";
            foreach (var file in files)
            {
                if (file is not { Path.Length: > 0, Sha256.Length: > 0 }) return $"{FileName} has an entry without path or sha256";
                if (FindDamage(folder, file) is { } damage) return damage;
            }

            return null;
        }
        catch (JsonException e)
        {
            return $"{FileName} is not what was written (line {e.LineNumber + 1} is no list of files)";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return $"a file cannot be read ({e.Message.TrimEnd('.')})";
        }
    }

    private static string? FindDamage(string folder, ManifestEntry expected)
    {
        string path = Path.GetFullPath(expected.Path, Path.GetFullPath(folder));
        var file = new FileInfo(path);
        if (!file.Exists) return $"{expected.Path} is missing, which {FileName} lists";
        if (file.Length != expected.Length) return $"{expected.Path} has {file.Length} bytes where {FileName} has {expected.Length}";
        string hash = Hash(path);
        return hash == expected.Sha256 ? null : $"{expected.Path} has other content than was written (SHA-256 {hash[..12]}… instead of {Start(expected.Sha256)}… in {FileName})";
    }

    private static string Start(string hash) => hash.Length <= 12 ? hash : hash[..12];

    private static string Hash(string path)
    {
        using var stream = new FileStream(path, new FileStreamOptions { Options = FileOptions.SequentialScan, BufferSize = 1 << 20 });
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}

/// <summary>A file of a checkpoint.</summary>
/// <param name="Path">Relative to the checkpoint's folder, with slashes.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Sha256">Of the content, in lower-case hexadecimal digits.</param>
internal sealed record ManifestEntry(
    [property: JsonPropertyName("path")] string Path,
    [property: JsonPropertyName("length")] long Length,
    [property: JsonPropertyName("sha256")] string Sha256);

[JsonSerializable(typeof(ManifestEntry[]))]
internal sealed partial class ManifestJson : JsonSerializerContext;
