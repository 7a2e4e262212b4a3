using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Hadal.Serving.Security;

/// <summary>A file of API keys, one to a line, as hashes.</summary>
/// <remarks>
/// <para><c>NAME sha256:HEX [requests-per-minute=N] [concurrent=N] [priority=N]</c>. Empty lines and lines that begin with # are passed over.</para>
/// <para>A line of a single word is a key in clear text; it works, under the name of its line, and <see cref="HasClearKeys"/> says so.</para>
/// </remarks>
public sealed class ApiKeyFile
{
    private const string HashPrefix = "sha256:";
    private const int MostBytes = 16 << 20;

    private ApiKeyFile(IReadOnlyList<ApiKey> keys, bool clear) => (Keys, HasClearKeys) = (keys, clear);

    /// <summary>The keys, at least one.</summary>
    public IReadOnlyList<ApiKey> Keys { get; }

    /// <summary>Whether some keys stand in the file in clear text.</summary>
    public bool HasClearKeys { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Its keys.</returns>
    /// <exception cref="ApiKeyException">The file is missing, empty, or has a line that is wrong.</exception>
    public static ApiKeyFile Load(string path)
    {
        string[] lines;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MostBytes }) throw new ApiKeyException($"{path} has more than 16 MiB: it is no file of API keys.");
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiKeyException($"The file of API keys {path} cannot be read: {e.Message}", e);
        }

        var keys = new List<ApiKey>();
        bool clear = false;
        for (int i = 0; i < lines.Length; i++)
        {
            string[] words = lines[i].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0].StartsWith('#')) continue;
            string place = $"{path}:{i + 1}";
            if (words.Length == 1)
            {
                if (words[0].StartsWith(HashPrefix, StringComparison.Ordinal)) throw new ApiKeyException($"{place} has a hash without a name before it.");
                clear = true;
                keys.Add(new ApiKey($"line {i + 1}", Hash(words[0])));
                continue;
            }

            keys.Add(Line(words, place));
        }

        if (keys.Count == 0) throw new ApiKeyException($"{path} has no keys; make one with: hadal key new NAME --file {path}");
        if (keys.GroupBy(k => k.Name).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new ApiKeyException($"{path} has two keys of the name {twice.Key}.");
        return new ApiKeyFile(keys, clear);
    }

    /// <summary>A new key of 256 random bits.</summary>
    /// <returns>The key, which nobody can find out from its hash.</returns>
    public static string NewKey() => "hadal-" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>The line of a file that stands for a key.</summary>
    /// <param name="key">The key in clear text.</param>
    /// <param name="name">Whose it is: letters, digits, dots, hyphens and underscores.</param>
    /// <param name="requestsPerMinute">Requests a minute at most; null for any number.</param>
    /// <param name="concurrent">Requests at once at most; null for any number.</param>
    /// <returns>The line, with the key's hash only.</returns>
    /// <exception cref="ApiKeyException">The name is not possible.</exception>
    public static string LineOf(string key, string name, int? requestsPerMinute = null, int? concurrent = null)
    {
        if (!IsName(name)) throw new ApiKeyException($"A key's name is made of letters, digits, dots, hyphens and underscores; \"{name}\" is not.");
        var line = new StringBuilder($"{name} {HashPrefix}{Convert.ToHexStringLower(Hash(key))}");
        if (requestsPerMinute is { } rate) line.Append(CultureInfo.InvariantCulture, $" requests-per-minute={rate}");
        if (concurrent is { } most) line.Append(CultureInfo.InvariantCulture, $" concurrent={most}");
        return line.ToString();
    }

    internal static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static ApiKey Line(string[] words, string place)
    {
        if (!IsName(words[0])) throw new ApiKeyException($"{place} begins with \"{words[0]}\"; a name is made of letters, digits, dots, hyphens and underscores.");
        if (!words[1].StartsWith(HashPrefix, StringComparison.Ordinal) || !TryHex(words[1][HashPrefix.Length..], out byte[] hash))
            throw new ApiKeyException($"{place}: behind the name there has to be sha256: and 64 hexadecimal digits.");
        var key = new ApiKey(words[0], hash);
        foreach (string word in words[2..])
        {
            string[] parts = word.Split('=', 2);
            if (parts.Length != 2 || !int.TryParse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
                throw new ApiKeyException($"{place} has \"{word}\"; expected requests-per-minute=N, concurrent=N or priority=N.");
            key = parts[0] switch
            {
                "requests-per-minute" when number > 0 => key with { RequestsPerMinute = number },
                "concurrent" when number > 0 => key with { Concurrent = number },
                "priority" when number is >= -100 and <= 100 => key with { Priority = number },
                _ => throw new ApiKeyException($"{place} has \"{word}\"; expected requests-per-minute=N and concurrent=N above 0, or priority=N from -100 to 100."),
            };
        }

        return key;
    }

    private static bool IsName(string name) => name.Length is > 0 and <= 100 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    private static bool TryHex(string text, out byte[] bytes)
    {
        bytes = new byte[32];
        return text.Length == 64 && Convert.FromHexString(text, bytes, out _, out int written) == System.Buffers.OperationStatus.Done && written == 32;
    }
}
