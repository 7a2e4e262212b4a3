using System.Text;
using System.Text.Json;

namespace Hadal.Model.Checkpoints;

/// <summary><c>model.safetensors.index.json</c>: which file of a sharded checkpoint holds which tensor.</summary>
internal static class CheckpointIndex
{
    public const string FileName = "model.safetensors.index.json";

    private const long LargestFile = 256L << 20;

    /// <exception cref="CheckpointException">The file is unreadable or malformed, or names a file outside its folder.</exception>
    public static Dictionary<string, string> Load(string path)
    {
        byte[] bytes;
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            if (stream.Length > LargestFile) throw new CheckpointException(path, null, $"the file has {stream.Length} bytes, more than any index needs");
            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CheckpointException(path, null, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }

        return Parse(bytes, path);
    }

    /// <summary>Tensor name to file name.</summary>
    /// <exception cref="CheckpointException">The text is malformed, or names a file outside its folder.</exception>
    public static Dictionary<string, string> Parse(ReadOnlySpan<byte> json, string path)
    {
        if (json.StartsWith(Encoding.UTF8.Preamble)) json = json[Encoding.UTF8.Preamble.Length..];
        try
        {
            var reader = new Utf8JsonReader(json);
            Dictionary<string, string>? map = null;
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new CheckpointException(path, null, "the index must be one JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isMap = reader.ValueTextEquals("weight_map"u8);
                reader.Read();
                if (!isMap)
                {
                    reader.Skip();
                    continue;
                }

                if (map is not null) throw new CheckpointException(path, null, "weight_map stands in the index twice");
                map = ReadMap(ref reader, path);
            }

            reader.Read();
            return map ?? throw new CheckpointException(path, null, "the index has no weight_map from tensor names to file names");
        }
        catch (JsonException e)
        {
            throw new CheckpointException(path, null, $"the index is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})", e);
        }
        catch (InvalidOperationException e)
        {
            throw new CheckpointException(path, null, "the index has a string that is not valid Unicode", e);
        }
    }

    private static Dictionary<string, string> ReadMap(ref Utf8JsonReader reader, string path)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new CheckpointException(path, null, "weight_map must be an object from tensor names to file names");
        var map = new Dictionary<string, string>();
        var files = new Dictionary<string, string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string tensor = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw new CheckpointException(path, tensor, $"weight_map gives tensor {tensor} something other than a file name");
            string file = reader.GetString()!;
            if (!files.TryGetValue(file, out string? known))
            {
                CheckFileName(path, tensor, file);
                files.Add(file, known = file);
            }

            if (!map.TryAdd(tensor, known)) throw new CheckpointException(path, tensor, $"weight_map names tensor {tensor} twice");
        }

        return map;
    }

    // A shard lies beside its index. Anything else could reach files that the checkpoint has no business with.
    private static void CheckFileName(string path, string tensor, string file)
    {
        bool plain = file.Length is > 0 and <= 255 && file is not ("." or "..") && !file.AsSpan().ContainsAny("/\\:\0");
        if (!plain)
            throw new CheckpointException(path, tensor, $"weight_map puts tensor {tensor} into \"{file}\", but a shard must be a file of the same folder");
    }
}
