using System.Text.Encodings.Web;
using System.Text.Json;
using Hadal.Data.Corpora;
using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>A few examples for each rule, chosen by chance in the same way whoever does the work.</summary>
/// <param name="most">For each rule.</param>
/// <param name="seed">Decides which.</param>
internal sealed class SampleSet(int most, ulong seed)
{
    public const string File = "samples.jsonl";
    private const int Characters = 400, Before = 60;
    private static readonly JsonSerializerOptions _json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly SortedDictionary<string, List<Sample>> _rules = new(StringComparer.Ordinal);

    /// <summary>A document that is dropped.</summary>
    public void Add(string stage, string rule, StoredDocument document, string? detail)
    {
        if (Room(stage, rule, document, out ulong draw)) Add(Of(stage, rule, document, draw) with { Text = Cut(document.Text, 0), Detail = detail });
    }

    /// <summary>A document that was changed.</summary>
    public void AddChange(string stage, string rule, StoredDocument before, StoredDocument after)
    {
        if (!Room(stage, rule, before, out ulong draw)) return;
        int from = Math.Max(0, before.Text.AsSpan().CommonPrefixLength(after.Text) - Before);
        Add(Of(stage, rule, before, draw) with { Text = Cut(before.Text, from), After = Cut(after.Text, from) });
    }

    public void AddFile(string path)
    {
        foreach (string line in System.IO.File.ReadLines(path)) Add(JsonSerializer.Deserialize<Sample>(line)!);
    }

    public void Save(string path)
    {
        using var file = System.IO.File.Create(path);
        Save(file);
    }

    public void Save(Stream file)
    {
        foreach (var sample in All())
        {
            JsonSerializer.Serialize(file, sample, _json);
            file.WriteByte((byte)'\n');
        }
    }

    public IEnumerable<Sample> All() => _rules.Values.SelectMany(r => r);

    private static string Key(string stage, string rule) => $"{stage}/{rule}";

    private static Sample Of(string stage, string rule, StoredDocument d, ulong draw) =>
        new() { Stage = stage, Rule = rule, Id = d.Id, Source = d.Source, Language = d.Language, Text = "", Draw = draw };

    private static string Cut(string text, int from)
    {
        int to = Math.Min(text.Length, from + Characters);
        if (from > 0 && from < text.Length && char.IsLowSurrogate(text[from])) from++;
        if (to < text.Length && to > from && char.IsHighSurrogate(text[to - 1])) to--;
        return string.Concat(from > 0 ? "…" : "", text.AsSpan(Math.Min(from, to), Math.Max(0, to - from)), to < text.Length ? "…" : "");
    }

    private bool Room(string stage, string rule, StoredDocument document, out ulong draw)
    {
        draw = SplitHash.Mix(StoredDocument.HashOf(document.Id) ^ SplitHash.Mix(document.Original ^ seed));
        return !_rules.TryGetValue(Key(stage, rule), out var had) ? most > 0 : had.Count < most || draw < had[^1].Draw;
    }

    private void Add(Sample sample)
    {
        string key = Key(sample.Stage, sample.Rule);
        if (!_rules.TryGetValue(key, out var had)) _rules.Add(key, had = []);
        int place = had.FindIndex(s => (s.Draw, s.Id).CompareTo((sample.Draw, sample.Id)) > 0);
        had.Insert(place < 0 ? had.Count : place, sample);
        if (had.Count > most) had.RemoveAt(most);
    }
}
