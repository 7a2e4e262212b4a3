using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hadal.Data.Pipeline.Work;

/// <summary>What a stage did: documents in and out, what was dropped by which rule.</summary>
public sealed class StageTally(string stage)
{
    /// <summary>The stage.</summary>
    [JsonPropertyName("stage")]
    public string Stage { get; } = stage;

    /// <summary>Documents that came.</summary>
    [JsonPropertyName("in")]
    public long In { get; set; }

    /// <summary>Documents that went on.</summary>
    [JsonPropertyName("out")]
    public long Out { get; set; }

    /// <summary>Documents dropped, by rule.</summary>
    [JsonPropertyName("dropped")]
    public SortedDictionary<string, long> Dropped { get; set; } = new(StringComparer.Ordinal);

    /// <summary>UTF-8 bytes of the text that went on.</summary>
    [JsonPropertyName("bytes")]
    public long Bytes { get; set; }

    /// <summary>Time of all workers together.</summary>
    [JsonPropertyName("seconds")]
    public double Seconds { get; set; }

    /// <summary>Counts a document that went on.</summary>
    internal void Keep(long bytes)
    {
        In++;
        Out++;
        Bytes += bytes;
    }

    /// <summary>Counts a document that was dropped.</summary>
    internal void Drop(string rule, long count = 1)
    {
        In += count;
        Dropped[rule] = Dropped.GetValueOrDefault(rule) + count;
    }

    internal void Add(StageTally other)
    {
        In += other.In;
        Out += other.Out;
        Bytes += other.Bytes;
        Seconds += other.Seconds;
        foreach (var (rule, count) in other.Dropped) Dropped[rule] = Dropped.GetValueOrDefault(rule) + count;
    }

    internal static void Save(string path, IReadOnlyList<StageTally> tallies) => File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(tallies));

    internal static IReadOnlyList<StageTally> Load(string path) => JsonSerializer.Deserialize<List<StageTally>>(File.ReadAllBytes(path))!;
}
