using System.Text.Json;
using Hadal.Data.Privacy;
using Hadal.Data.Tests.Normalization;

namespace Hadal.Data.Tests.Privacy;

/// <summary>Checks against the planted addresses of the mixture corpus; run with <c>-explicit on</c>.</summary>
public class CorpusTests
{
    [Fact(Explicit = true)]
    public void Every_planted_address_is_masked_and_prose_and_mathematics_stay()
    {
        using JsonDocument truth = MixtureCorpus.ReadTruth();
        Dictionary<string, (string Text, string Language)> documents = MixtureCorpus.Read();
        foreach (JsonElement item in truth.RootElement.GetProperty("pii").EnumerateArray())
        {
            string masked = PrivacyMask.Mask(documents[item.GetProperty("id").GetString()!].Text, PrivacyOptions.Default).Text;
            foreach (JsonElement address in item.GetProperty("emails").EnumerateArray().Concat(item.GetProperty("ips").EnumerateArray()))
                Assert.DoesNotContain(address.GetString()!, masked, StringComparison.Ordinal);
        }

        HashSet<string> planted = MixtureCorpus.Ids(truth, "pii");
        ILookup<string, PrivacyCounts> others = documents.Where(d => !planted.Contains(d.Key)).ToLookup(d => d.Value.Language, d => PrivacyMask.Mask(d.Value.Text, PrivacyOptions.Default).Counts);
        foreach (string language in (string[])["en", "zh", "ja", "es", "math"]) Assert.Equal(0, others[language].Sum(c => c.Total));
        // Source files name their authors; nothing in them looks like a phone number or a key.
        Assert.Equal(0, others["code"].Sum(c => c.PhoneNumbers + c.Keys + c.AccountNumbers));
    }
}
