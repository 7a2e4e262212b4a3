using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace Hadal.Benchmarks;

/// <summary>The same vocabulary and merges in Microsoft.ML.Tokenizers.</summary>
/// <remarks>
/// Its pre-tokenizer is one regular expression, so the three of DeepSeek-V3 are written as one: what belongs to the first two is taken out of the classes of the third. What still differs: .NET's
/// expressions see surrogates, not the characters above U+FFFF (emoji, rare Han), and marks within kana are not cut off.
/// </remarks>
internal static partial class MicrosoftTokenizer
{
    internal static BpeTokenizer Load(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, "tokenizer.json") : path;
        if (!File.Exists(file)) file += ".gz";
        using Stream stream = file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(File.OpenRead(file), CompressionMode.Decompress) : File.OpenRead(file);
        using JsonDocument document = JsonDocument.Parse(stream);
        JsonElement model = document.RootElement.GetProperty("model");
        BpeOptions options = new(model.GetProperty("vocab").EnumerateObject().Select(static p => KeyValuePair.Create(p.Name, p.Value.GetInt32())))
        {
            Merges = [.. model.GetProperty("merges").EnumerateArray().Select(static m => m.GetString()!)],
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(Pieces(), null),
        };
        return BpeTokenizer.Create(options);
    }

    [GeneratedRegex(@"\p{N}{1,3}|[\u4E00-\u9FA5\u3040-\u30FF]+|[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"
        + @"|[^\r\n\p{L}\p{P}\p{S}\p{N}]?[\p{L}\p{M}-[\u4E00-\u9FA5\u3040-\u30FF]]+| ?[\p{P}\p{S}-[\u3040-\u30FF]]+[\r\n]*|\s*[\r\n]+|\s+(?![^\s\p{N}\u4E00-\u9FA5\u3040-\u30FF])|\s+")]
    private static partial Regex Pieces();
}
