using System.Buffers.Binary;
using System.Globalization;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>Typed, checked access to the metadata of a file.</summary>
internal sealed class GgufMetadata(GgufFile file, GgufHeader header)
{
    public string Path => header.Path;

    public IEnumerable<string> Keys => header.Metadata.Keys;

    public bool Has(string key) => header.Metadata.ContainsKey(key);

    /// <summary>A whole number of any integer type.</summary>
    public int? Whole(string key, int least = 0, int most = int.MaxValue)
    {
        if (!header.Metadata.TryGetValue(key, out object? value)) return null;
        long number = value switch
        {
            byte n => n,
            sbyte n => n,
            ushort n => n,
            short n => n,
            uint n => n,
            int n => n,
            long n => n,
            ulong n => n <= long.MaxValue ? (long)n : throw Wrong(key, $"between {least} and {most}"),
            _ => throw Wrong(key, "a whole number"),
        };
        return number >= least && number <= most ? (int)number : throw Wrong(key, $"between {least} and {most}");
    }

    public int RequiredWhole(string key, int least = 0, int most = int.MaxValue) => Whole(key, least, most) ?? throw Missing(key);

    /// <summary>A number, as the shortest decimal that gives its FP32 value: what a person wrote before it was rounded.</summary>
    public double? Number(string key)
    {
        if (!header.Metadata.TryGetValue(key, out object? value)) return null;
        double number = value switch
        {
            float n => Shortest(n),
            double n => n,
            _ => throw Wrong(key, "a floating-point number"),
        };
        return double.IsFinite(number) ? number : throw Wrong(key, "finite");
    }

    public bool? Flag(string key) => !header.Metadata.TryGetValue(key, out object? value) ? null : value is bool flag ? flag : throw Wrong(key, "true or false");

    public string? Text(string key) => !header.Metadata.TryGetValue(key, out object? value) ? null : value as string ?? throw Wrong(key, "a string");

    /// <summary>The strings of an array, as UTF-8, one after the other.</summary>
    public GgufTexts? Texts(string key)
    {
        if (!header.Metadata.TryGetValue(key, out object? value)) return null;
        return value is GgufArray { Type: GgufValueType.Text } array
            ? new GgufTexts(file.HeaderBytes(array.Offset, array.ByteLength).ToArray(), array.Count)
            : throw Wrong(key, "an array of strings");
    }

    public int[]? Wholes(string key)
    {
        if (!header.Metadata.TryGetValue(key, out object? value)) return null;
        if (value is not GgufArray { Type: GgufValueType.I32 or GgufValueType.U32 } array) throw Wrong(key, "an array of 32-bit integers");
        int[] numbers = new int[array.Count];
        var bytes = file.HeaderBytes(array.Offset, array.ByteLength);
        for (int i = 0; i < numbers.Length; i++) numbers[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * i)..]);
        return numbers;
    }

    /// <summary>A value as its bytes, its type code included, for a file that takes it over.</summary>
    public byte[] Raw(string key)
    {
        var (start, length) = header.Places[key];
        return file.HeaderBytes(start, length).ToArray();
    }

    public CheckpointException Missing(string key) => new(Path, null, $"the metadata has no {key}");

    public CheckpointException Wrong(string key, string right)
    {
        string text = header.Metadata.GetValueOrDefault(key) switch
        {
            GgufArray array => $"an array of {array.Count}",
            string value => $"\"{GgufHeader.Quoted(value)}\"",
            var value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "missing",
        };
        return new(Path, null, $"the metadata value {key} is {text}, but must be {right}");
    }

    /// <summary>The number with the fewest digits that rounds to a given FP32 value.</summary>
    internal static double Shortest(float value) => double.Parse(value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
