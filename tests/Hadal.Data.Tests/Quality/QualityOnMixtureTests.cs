using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Hadal.Data.Quality;

namespace Hadal.Data.Tests.Quality;

/// <summary>Runs over a corpus with planted noise, whose folder HADAL_CORPORA names; it is not in the repository. Run it with <c>-explicit only</c>.</summary>
public sealed class QualityOnMixtureTests(ITestOutputHelper output)
{
    [Fact(Explicit = true)]
    public void Noise_goes_and_clean_documents_stay()
    {
        string folder = Environment.GetEnvironmentVariable("HADAL_CORPORA") ?? throw new InvalidOperationException("HADAL_CORPORA names the folder of mixture.jsonl.gz.");
        var documents = new Dictionary<string, (string Text, string Language)>();
        using (var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(folder, "mixture.jsonl.gz")), CompressionMode.Decompress)))
        {
            while (reader.ReadLine() is { } line)
            {
                using var json = JsonDocument.Parse(line);
                documents.Add(json.RootElement.GetProperty("id").GetString()!, (json.RootElement.GetProperty("text").GetString()!, json.RootElement.GetProperty("lang").GetString()!));
            }
        }

        using var truth = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "dedup-truth.json")));
        var kinds = truth.RootElement.GetProperty("noise").EnumerateArray().ToDictionary(n => n.GetProperty("id").GetString()!, n => n.GetProperty("kind").GetString()!);
        foreach (var item in truth.RootElement.GetProperty("very_long").EnumerateArray())
        {
            if (item.GetProperty("kind").GetString() != "whole_book") kinds.TryAdd(item.GetProperty("id").GetString()!, "run");
        }

        var planted = truth.RootElement.GetProperty("boilerplate_lines").EnumerateArray()
            .ToDictionary(n => n.GetProperty("id").GetString()!, n => n.GetProperty("lines").EnumerateArray().Select(l => l.GetString()!).ToArray());
        int cleanDropped = 0, clean = 0, noiseDropped = 0, noise = 0;
        foreach (string preset in QualityPresets.Names)
        {
            QualityRules rules = QualityPresets.Find(preset)!;
            foreach (var (text, language) in documents.Values.Take(500)) QualityCheck.Judge(text, language, rules);
            long bytes = documents.Values.Sum(d => (long)Encoding.UTF8.GetByteCount(d.Text)), memory = GC.GetAllocatedBytesForCurrentThread();
            long started = Stopwatch.GetTimestamp();
            var verdicts = documents.ToDictionary(d => d.Key, d => QualityCheck.Judge(d.Value.Text, d.Value.Language, rules));
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            output.WriteLine($"== {preset}: {bytes / 1e6 / seconds:F1} MB/s, {(GC.GetAllocatedBytesForCurrentThread() - memory) / 1e6:F1} MB allocated");
            foreach (var group in documents.Where(d => !kinds.ContainsKey(d.Key)).GroupBy(d => d.Value.Language).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                var dropped = group.Where(d => !verdicts[d.Key].IsKept).ToList();
                output.WriteLine($"clean {group.Key}: {dropped.Count} of {group.Count()} dropped; lines removed in {group.Count(d => verdicts[d.Key].RemovedLines > 0 && !planted.ContainsKey(d.Key))}: {Rules(dropped.Select(d => verdicts[d.Key]))}");
            }

            foreach (var group in kinds.GroupBy(k => k.Value).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                output.WriteLine($"noise {group.Key}: {group.Count(k => !verdicts[k.Key].IsKept)} of {group.Count()} dropped: {Rules(group.Select(k => verdicts[k.Key]))}");
            }

            int lines = planted.Sum(p => p.Value.Length), left = planted.Sum(p => p.Value.Count(l => verdicts[p.Key].Text.Split('\n').Contains(l)));
            output.WriteLine($"planted lines: {lines - left} of {lines} removed; left {string.Join("; ", planted.SelectMany(p => p.Value.Where(l => verdicts[p.Key].Text.Split('\n').Contains(l)).Select(l => documents[p.Key].Language + " " + l)).CountBy(l => l).Select(c => $"{c.Value}x {c.Key}"))}");
            if (preset != "v3") continue;
            foreach (string? other in new[] { "en", null })
            {
                var math = documents.Where(d => d.Value.Language == "math").Select(d => QualityCheck.Judge(d.Value.Text, other, rules)).ToList();
                output.WriteLine($"math taken for {other ?? "unknown"}: {math.Count(v => !v.IsKept)} dropped: {Rules(math)}");
            }

            foreach (var d in documents.Where(d => !kinds.ContainsKey(d.Key) && !verdicts[d.Key].IsKept).Take(60))
                output.WriteLine($"  {d.Value.Language} {verdicts[d.Key].Rule} {verdicts[d.Key].Value:F3}: {d.Value.Text[..Math.Min(120, d.Value.Text.Length)].ReplaceLineEndings("/")}");
            var sure = kinds.Where(k => k.Value is not ("mojibake_sparse" or "all_caps" or "word_salad")).ToList();
            (cleanDropped, clean) = (documents.Count(d => !kinds.ContainsKey(d.Key) && !verdicts[d.Key].IsKept), documents.Count - kinds.Count);
            (noiseDropped, noise) = (sure.Count(k => !verdicts[k.Key].IsKept), sure.Count);
            Assert.True(left <= lines / 20, "planted lines are left");
        }

        Assert.True(noiseDropped >= 0.99 * noise, $"{noiseDropped} of {noise} noise documents dropped");
        Assert.True(cleanDropped <= 0.005 * clean, $"{cleanDropped} of {clean} clean documents dropped");
    }

    private static string Rules(IEnumerable<QualityVerdict> verdicts) =>
        string.Join(", ", verdicts.Where(v => v.Rule is not null).CountBy(v => v.Rule!).OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key} {c.Value}"));
}
