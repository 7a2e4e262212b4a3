using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Hadal.Model.Checkpoints.Gguf;

namespace Hadal.Model.Tokenization;

/// <summary>Finds and reads the files of a tokenizer on disk.</summary>
internal static class TokenizerFolder
{
    private const string FileName = "tokenizer.json";
    private const string SettingsName = "tokenizer_config.json";
    private const string TemplateName = "chat_template.jinja";
    private const int ReadSize = 1 << 16;

    internal static string? Sha256(string path) => GgufFile.IsGguf(path) ? null : Convert.ToHexStringLower(SHA256.HashData(ReadFile(Find(path)).Span));

    private static string Find(string path)
    {
        string file = Directory.Exists(path) ? InFolder(path) : path;
        return File.Exists(file) ? file : throw new TokenizerException(file, null, $"does not exist; a tokenizer is a {FileName} or a folder with one");
    }

    internal static Tokenizer Load(string path)
    {
        if (GgufFile.IsGguf(path)) return GgufTokenizer.Load(path);
        string file = Find(path);
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        string settingsPath = Path.Combine(folder, SettingsName);
        TokenizerSettings? settings = File.Exists(settingsPath) ? TokenizerSettings.Read(ReadFile(settingsPath), settingsPath) : null;
        string templatePath = Path.Combine(folder, TemplateName);
        if (File.Exists(templatePath))
            settings = (settings ?? new TokenizerSettings()) with { ChatTemplate = Encoding.UTF8.GetString(ReadFile(templatePath).Span) };
        return new Tokenizer(TokenizerFile.Read(ReadFile(file), file), settings, settingsPath);
    }

    /// <summary>Reads a stream to its end, refusing more than any tokenizer file has.</summary>
    internal static ReadOnlyMemory<byte> ReadAll(Stream stream, string path, int limit = TokenizerFile.LargestFile)
    {
        MemoryStream content = new();
        byte[] buffer = new byte[ReadSize];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            if (content.Length + read > limit)
                throw new TokenizerException(path, null, $"is larger than {limit >> 20} MiB, more than any tokenizer file has");
            content.Write(buffer, 0, read);
        }

        return content.GetBuffer().AsMemory(0, (int)content.Length);
    }

    /// <summary>Writes a file so that under its name there is the old content or all of the new: beside it, flushed, renamed.</summary>
    internal static void Write(string path, byte[] content)
    {
        string beside = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            try
            {
                using (FileStream stream = new(beside, FileMode.CreateNew, FileAccess.Write))
                {
                    stream.Write(content);
                    stream.Flush(flushToDisk: true);
                }

                File.Move(beside, path, overwrite: true);
            }
            catch
            {
                File.Delete(beside);
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException(path, null, $"cannot be written: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>The tokenizer file of a folder; null if it has none.</summary>
    internal static string? FindFile(string folder) => InFolder(folder) is var file && File.Exists(file) ? file : null;

    private static string InFolder(string folder)
    {
        string plain = Path.Combine(folder, FileName);
        string packed = plain + ".gz";
        return !File.Exists(plain) && File.Exists(packed) ? packed : plain;
    }

    internal static ReadOnlyMemory<byte> ReadFile(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            if (!path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)) return ReadAll(file, path);
            using GZipStream unpacked = new(file, CompressionMode.Decompress);
            return ReadAll(unpacked, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new TokenizerException(path, null, $"cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }
}
