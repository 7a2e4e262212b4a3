using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Hadal.Data.Decontamination;

namespace Hadal.Data.Tests.Decontamination;

/// <summary>
/// Runs over a corpus with planted evaluation items: HADAL_CORPORA names the folder of the corpus, HADAL_EVALS that of the evaluation files; neither is in the repository. Run it
/// with <c>-explicit only</c>.
/// </summary>
public sealed class ContaminationOnMixtureTests(ITestOutputHelper output)
{
    [Theory(Explicit = true)]
    [InlineData(false)]
    [InlineData(true)]
    public void Planted_items_are_found_and_nothing_else(bool manySets)
    {
        string folder = Folder("HADAL_CORPORA"), evals = Folder("HADAL_EVALS");
        EvaluationSet Set(string path, string[] question, string[] answer) =>
            new() { Name = path, Path = Path.Combine(evals, path), QuestionFields = question, AnswerFields = answer };
        List<EvaluationSet> sets =
        [
            Set("gsm8k/test.jsonl", ["question"], ["answer"]),
            Set("math500/test.jsonl", ["problem"], ["solution"]),
            Set("humaneval/HumanEval.jsonl.gz", ["prompt"], ["canonical_solution"]),
        ];
        if (manySets)
        {
            sets.AddRange([
                Set("math/test.jsonl.gz", ["problem"], ["solution"]),
                Set("mbpp/mbpp.jsonl", ["text"], ["code"]),
                Set("mmlu/test", ["question", "choice0", "choice1", "choice2", "choice3"], []),
                Set("cmmlu/test", ["Question", "A", "B", "C", "D"], []),
                Set("ceval/val", ["inputs_pretokenized"], []),
                Set("cmath/test.jsonl", ["question"], []),
                Set("humaneval-cs/humaneval-cs.jsonl", ["prompt"], []),
                Set("humaneval-infilling", ["prompt"], ["canonical_solution"]),
            ]);
        }

        long started = Stopwatch.GetTimestamp();
        var index = ContaminationIndex.Build(sets.SelectMany(s => s.Read()));
        output.WriteLine($"{index.Parts} parts, {index.Windows} windows, {index.Bytes / 1e6:F1} MB, {(double)index.Bytes / index.Windows:F1} bytes a window, {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
        var documents = new List<(string Id, string Text, string Language)>();
        using (var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(folder, "mixture.jsonl.gz")), CompressionMode.Decompress)))
        {
            while (reader.ReadLine() is { } line)
            {
                using var json = JsonDocument.Parse(line);
                documents.Add((json.RootElement.GetProperty("id").GetString()!, json.RootElement.GetProperty("text").GetString()!, json.RootElement.GetProperty("lang").GetString()!));
            }
        }

        using var truth = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "dedup-truth.json")));
        var planted = truth.RootElement.GetProperty("contaminated").EnumerateArray().ToDictionary(
            c => c.GetProperty("id").GetString()!,
            c => (Set: c.GetProperty("eval").GetString()!, Item: c.GetProperty("index").GetInt32(), Form: c.GetProperty("form").GetString()!));
        foreach (var document in documents.Take(1000)) index.Check(document.Text);
        started = Stopwatch.GetTimestamp();
        var found = documents.Select(d => (d.Id, d.Text, d.Language, Found: index.Check(d.Text))).ToList();
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        output.WriteLine($"{documents.Sum(d => (long)Encoding.UTF8.GetByteCount(d.Text)) / 1e6 / seconds:F1} MB/s");
        var hits = found.Where(f => f.Found is not null).ToDictionary(f => f.Id, f => f.Found!);
        foreach (var form in planted.GroupBy(p => (p.Value.Set, p.Value.Form)).OrderBy(g => g.Key.Set, StringComparer.Ordinal).ThenBy(g => g.Key.Form, StringComparer.Ordinal))
        {
            int recalled = form.Count(p => hits.ContainsKey(p.Key)), named = form.Count(p => hits.TryGetValue(p.Key, out var h) && h.Set == p.Value.Set && h.Item == p.Value.Item);
            output.WriteLine($"{form.Key}: {recalled} of {form.Count()} found, {named} by that item");
        }

        foreach (var missed in found.Where(f => planted.ContainsKey(f.Id) && f.Found is null)) output.WriteLine($"missed {planted[missed.Id]}: {Short(missed.Text)}");
        var wrong = found.Where(f => f.Found is not null && !planted.ContainsKey(f.Id)).ToList();
        output.WriteLine($"{wrong.Count} others found: {string.Join(", ", wrong.CountBy(w => w.Found!.Set))}");
        foreach (var (_, text, language, other) in wrong.Take(40)) output.WriteLine($"  {language} {other}: {Short(text[other!.Start..other.End])}");
        Assert.True(hits.Keys.Count(planted.ContainsKey) >= 0.99 * planted.Count);
    }

    private static string Folder(string name) => Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} names a folder.");

    private static string Short(string text) => text[..Math.Min(160, text.Length)].ReplaceLineEndings("/");
}
