using System.Globalization;
using System.Text.Json;

namespace Hadal.Model.Configuration;

/// <summary>Typed, checked access to the fields of one JSON object.</summary>
internal readonly struct ConfigReader
{
    /// <summary>Largest width, rank or count that is taken seriously; products of four of them still fit in 96 bits, products of two in 63.</summary>
    internal const int LargestSize = 1 << 24;

    private readonly JsonElement _object;
    private readonly string _prefix;

    /// <param name="path">The file, for messages.</param>
    /// <param name="element">A JSON object.</param>
    /// <param name="prefix">Names of the objects around it, each with a dot behind it.</param>
    public ConfigReader(string path, JsonElement element, string prefix = "") => (Path, _object, _prefix) = (path, element, prefix);

    public string Path { get; }

    /// <summary>Whether the field is there with a value other than null.</summary>
    public bool Has(string name) => TryGet(name, out _);

    /// <summary>Whether the field is there, be it null.</summary>
    public bool Mentions(string name) => _object.TryGetProperty(name, out _);

    public int Size(string name, int missing, int least = 1, int most = LargestSize) => OptionalSize(name, least, most) ?? missing;

    /// <summary>A whole number, or null if the field is missing or null.</summary>
    public int? OptionalSize(string name, int least = 1, int most = LargestSize)
    {
        if (!TryGet(name, out var value)) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out long number))
            throw Wrong(name, value, "a whole number");
        return number >= least && number <= most
            ? (int)number
            : throw Wrong(name, value, string.Create(CultureInfo.InvariantCulture, $"between {least} and {most}"));
    }

    public double Number(string name, double missing, double above, double most = 1e12) => OptionalNumber(name, above, most) ?? missing;

    public double? OptionalNumber(string name, double above, double most = 1e12)
    {
        if (!TryGet(name, out var value)) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number))
            throw Wrong(name, value, "a number");
        return number > above && number <= most
            ? number
            : throw Wrong(name, value, string.Create(CultureInfo.InvariantCulture, $"above {above} and at most {most}"));
    }

    public bool Flag(string name, bool missing) => !TryGet(name, out var value) ? missing : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, value, "true or false"),
    };

    public string? Text(string name)
    {
        if (!TryGet(name, out var value)) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(name, value, "a string");
    }

    /// <summary>A string out of a fixed set.</summary>
    public T Choice<T>(string name, T missing, params ReadOnlySpan<(string Name, T Value)> known)
    {
        if (Text(name) is not { } text) return missing;
        var names = new List<string>();
        foreach (var (knownName, value) in known)
        {
            if (knownName == text) return value;
            names.Add($"\"{knownName}\"");
        }

        throw Wrong(name, $"\"{Short(text)}\"", string.Join(" or ", names));
    }

    public ConfigReader? Object(string name)
    {
        if (!TryGet(name, out var value)) return null;
        return value.ValueKind == JsonValueKind.Object ? new ConfigReader(Path, value, $"{_prefix}{name}.") : throw Wrong(name, value, "an object or null");
    }

    public JsonElement? Element(string name) => TryGet(name, out var value) ? value : null;

    /// <summary>The exception for a field with a wrong value.</summary>
    /// <param name="name">The field.</param>
    /// <param name="value">What it is.</param>
    /// <param name="right">What it must be.</param>
    public ConfigException Wrong(string name, JsonElement value, string right) => Wrong(name, Short(value.GetRawText()), right);

    public ConfigException Wrong(string name, string value, string right) =>
        new(Path, _prefix + name, $"{_prefix}{name} is {value}, but must be {right}");

    private bool TryGet(string name, out JsonElement value) => _object.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private static string Short(string text)
    {
        text = text.ReplaceLineEndings(" ");
        return text.Length <= 60 ? text : text[..57] + "...";
    }
}
