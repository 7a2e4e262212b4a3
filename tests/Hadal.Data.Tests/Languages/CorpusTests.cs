using System.Text.Json;
using Hadal.Data.Languages;
using Hadal.Data.Normalization;
using Hadal.Data.Tests.Normalization;

namespace Hadal.Data.Tests.Languages;

/// <summary>The confusion matrix over the mixture corpus; run with <c>-explicit on</c>.</summary>
public class CorpusTests
{
    [Fact(Explicit = true)]
    public void Languages_of_the_mixture_are_recognised()
    {
        using JsonDocument truth = MixtureCorpus.ReadTruth();
        // Documents with noise have no language, documents with evaluation items in them are partly code.
        HashSet<string> noise = MixtureCorpus.Ids(truth, "noise"), contaminated = MixtureCorpus.Ids(truth, "contaminated");
        SortedDictionary<string, SortedDictionary<string, int>> matrix = new(StringComparer.Ordinal);
        foreach ((string id, (string text, string language)) in MixtureCorpus.Read())
        {
            string guess = LanguageIdentifier.Identify(TextCleaning.Clean(text, CleaningOptions.Default).Text).Language;
            string row = noise.Contains(id) ? "noise" : contaminated.Contains(id) ? "contaminated " + language : language == "math" ? "en" : language;
            if (!matrix.TryGetValue(row, out SortedDictionary<string, int>? columns)) matrix.Add(row, columns = new(StringComparer.Ordinal));
            columns[guess] = columns.GetValueOrDefault(guess) + 1;
        }

        foreach ((string row, SortedDictionary<string, int> columns) in matrix)
            TestContext.Current.TestOutputHelper?.WriteLine($"{row}: {string.Join(", ", columns.Select(static column => $"{column.Key} {column.Value}"))}");
        foreach (string language in (string[])["en", "zh", "ja", "es"])
            Assert.InRange(matrix[language][language] / (double)matrix[language].Values.Sum(), 0.999, 1);
        Assert.InRange((matrix["code"]["code:python"] + matrix["code"]["code:csharp"]) / (double)matrix["code"].Values.Sum(), 0.98, 1);
    }
}
