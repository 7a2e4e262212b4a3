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

    /// <summary>What was changed in documents that went on, and how often.</summary>
    [JsonPropertyName("changed")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SortedDictionary<string, long>? Changed { get; set; }

    /// <summary>UTF-8 bytes of the text that went on.</summary>
    [JsonPropertyName("bytes")]
    public long Bytes { get; set; }

    /// <summary>Tokens that went on, end tokens among them; 0 for stages of text.</summary>
    [JsonPropertyName("tokens")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Tokens { get; set; }

    /// <summary>Documents that were turned into prefix, suffix, middle.</summary>
    [JsonPropertyName("fill_in_the_middle")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long FillInTheMiddle { get; set; }

    /// <summary>Rows that were packed.</summary>
    [JsonPropertyName("rows")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Rows { get; set; }

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

    /// <summary>Counts changes of a document that goes on.</summary>
    internal void Change(string what, long count)
    {
        Changed ??= new(StringComparer.Ordinal);
        Changed[what] = Changed.GetValueOrDefault(what) + count;
    }

    internal void Add(StageTally other)
    {
        foreach (var (what, count) in other.Changed ?? []) Change(what, count);
        In += other.In;
        Out += other.Out;
        Bytes += other.Bytes;
        Tokens += other.Tokens;
        FillInTheMiddle += other.FillInTheMiddle;
        Rows += other.Rows;
        Seconds += other.Seconds;
        foreach (var (rule, count) in other.Dropped) Dropped[rule] = Dropped.GetValueOrDefault(rule) + count;
    }

    internal static void Save(string path, IReadOnlyList<StageTally> tallies) => File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(tallies));

    internal static IReadOnlyList<StageTally> Load(string path) => JsonSerializer.Deserialize<List<StageTally>>(File.ReadAllBytes(path))!;
}
