using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Hadal.Model.Checkpoints;

namespace Hadal.Model.Configuration;

/// <content>Reading and writing <c>config.json</c>.</content>
public sealed partial record ModelConfig
{
    /// <summary>Name of the file in a model folder.</summary>
    public const string FileName = "config.json";

    private const int LargestFile = 16 << 20;

    private static readonly JsonDocumentOptions _strict = new() { AllowDuplicateProperties = false };

    private static readonly JsonWriterOptions _indented = new()
    {
        Indented = true,
        IndentSize = 2,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The object that was read, for its order, its spellings and the fields that are unknown here; null for a configuration made in code.</summary>
    private JsonElement? Source { get; init; }

    /// <summary>Reads and checks a configuration.</summary>
    /// <param name="path">A <c>config.json</c>, or the folder that has one.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="ConfigException">The file is missing, unreadable, not JSON, or wrong in a field.</exception>
    public static ModelConfig Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFolder.Recover(path);
        string file = Directory.Exists(path) ? System.IO.Path.Combine(path, FileName) : path;
        byte[] bytes;
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            if (stream.Length > LargestFile) throw new ConfigException(file, null, $"the file has {stream.Length} bytes, more than any configuration needs");
            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigException(file, null, "there is no such file; a model folder has a config.json", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new ConfigException(file, null, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }

        return Parse(bytes, file);
    }

    /// <summary>Reads and checks a configuration.</summary>
    /// <param name="utf8">The text of a <c>config.json</c>.</param>
    /// <param name="name">What messages call it, usually its path.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="ConfigException">The text is not JSON or wrong in a field.</exception>
    public static ModelConfig Parse(ReadOnlySpan<byte> utf8, string name = FileName)
    {
        if (utf8.StartsWith(Encoding.UTF8.Preamble)) utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        if (!Utf8.IsValid(utf8)) throw new ConfigException(name, null, "the file is not JSON: it is not UTF-8 text");
        try
        {
            using var document = JsonDocument.Parse(utf8.ToArray(), _strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new ConfigException(name, null, "the file must hold one JSON object");
            var config = ConfigFields.Read(new ConfigReader(name, document.RootElement)) with { Source = document.RootElement.Clone() };
            config.Validate(name);
            _ = config.ToJson();
            return config;
        }
        catch (JsonException e)
        {
            string place = e.LineNumber is { } line ? $" (line {line + 1}, byte {e.BytePositionInLine + 1})" : "";
            throw new ConfigException(name, null, $"the file is not valid JSON{place}", e);
        }
        catch (InvalidOperationException e)
        {
            // What System.Text.Json throws for an escaped half of a surrogate pair.
            throw new ConfigException(name, null, "the file has a string that is not valid Unicode", e);
        }
    }

    /// <summary>Checks that the fields are in range and agree with each other.</summary>
    /// <param name="name">What messages call the configuration, usually its path.</param>
    /// <exception cref="ConfigException">They do not.</exception>
    public void Validate(string name = FileName) => ConfigRules.Check(this, name);

    /// <summary>The text of <c>config.json</c>: what was read, with the changes made since; or every field of DeepSeek-V3's file for a configuration made in
    /// code.</summary>
    /// <returns>Indented JSON.</returns>
    public string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, _indented)) ToJsonObject().WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

    /// <summary>The content of <c>config.json</c> as an object of the caller's own.</summary>
    /// <returns>See <see cref="ToJson"/>.</returns>
    public JsonObject ToJsonObject()
    {
        if (Source is not { } source) return ConfigFields.WriteNew(this);
        var original = ConfigFields.Read(new ConfigReader(FileName, source));
        return ConfigFields.WriteChanges(JsonObject.Create(source)!, original, this);
    }

    /// <summary>Checks and writes the configuration: beside the file first, then under its name.</summary>
    /// <param name="path">The file, or an existing folder to write <c>config.json</c> in.</param>
    /// <exception cref="ConfigException">A field is wrong, or the file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string file = Directory.Exists(path) ? System.IO.Path.Combine(path, FileName) : path;
        Validate(file);
        try
        {
            AtomicFile.Write(file, stream => stream.Write(Encoding.UTF8.GetBytes(ToJson())));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException(file, null, $"the file cannot be written ({e.Message.TrimEnd('.')})", e);
        }
    }
}
