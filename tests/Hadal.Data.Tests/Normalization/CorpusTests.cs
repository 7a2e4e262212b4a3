using System.Text.Json;
using Hadal.Data.Deduplication;
using Hadal.Data.Normalization;

namespace Hadal.Data.Tests.Normalization;

/// <summary>Checks against the planted truth of the mixture corpus, in the folder that HADAL_CORPORA names; run with <c>--explicit on</c>.</summary>
public class CorpusTests
{
    [Fact(Explicit = true)]
    public void Every_planted_pair_has_one_deduplication_form_and_sparse_mojibake_is_repaired()
    {
        using JsonDocument truth = MixtureCorpus.ReadTruth();
        Dictionary<string, (string Text, string Language)> documents = MixtureCorpus.Read();
        int unequal = 0;
        foreach (JsonElement group in truth.RootElement.GetProperty("normalized_groups").EnumerateArray())
        {
            string[] forms = [.. group.GetProperty("ids").EnumerateArray().Select(id => DeduplicationForm.Of(TextCleaning.Clean(documents[id.GetString()!].Text, CleaningOptions.Default).Text))];
            if (forms.Distinct(StringComparer.Ordinal).Count() != 1) unequal++;
        }

        HashSet<string> noise = [];
        SortedDictionary<string, (int Documents, int Repaired, int Left)> mojibake = new(StringComparer.Ordinal);
        foreach (JsonElement item in truth.RootElement.GetProperty("noise").EnumerateArray())
        {
            string id = item.GetProperty("id").GetString()!, kind = item.GetProperty("kind").GetString()!;
            noise.Add(id);
            if (!kind.StartsWith("mojibake", StringComparison.Ordinal)) continue;
            CleanedText cleaned = TextCleaning.Clean(documents[id].Text, CleaningOptions.Default);
            bool left = cleaned.Text.Contains('Ã') || cleaned.Text.Contains("â€", StringComparison.Ordinal);
            (int all, int repaired, int remaining) = mojibake.GetValueOrDefault(kind);
            mojibake[kind] = (all + 1, repaired + (cleaned.Counts.Mojibake > 0 ? 1 : 0), remaining + (left ? 1 : 0));
        }

        int touched = documents.Count(document => !noise.Contains(document.Key) && TextCleaning.Clean(document.Value.Text, CleaningOptions.Default).Counts.Mojibake > 0);
        ITestOutputHelper? output = TestContext.Current.TestOutputHelper;
        foreach ((string kind, (int all, int repaired, int remaining)) in mojibake)
            output?.WriteLine($"{kind}: {all} documents, {repaired} with repairs, {remaining} with something left");
        output?.WriteLine($"planted pairs unequal: {unequal}; documents outside the noise with a repair: {touched}");
        var watch = System.Diagnostics.Stopwatch.StartNew();
        long characters = documents.Values.Sum(static document => (long)TextCleaning.Clean(document.Text, CleaningOptions.Default).OriginalLength);
        output?.WriteLine($"cleaned {characters} characters in {watch.Elapsed.TotalSeconds:F2} s");
        Assert.Equal(0, unequal);
        Assert.Equal(0, mojibake["mojibake_sparse"].Left);
    }
}
