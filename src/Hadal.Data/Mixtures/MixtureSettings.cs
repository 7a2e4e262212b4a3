using System.Text.Json.Serialization;

namespace Hadal.Data.Mixtures;

/// <summary>How often each group of documents is seen.</summary>
public sealed record MixtureSettings
{
    /// <summary>What a group is.</summary>
    [JsonPropertyName("by")]
    public GroupKind By { get; init; } = GroupKind.Language;

    /// <summary>How often documents of a group are repeated, 0 to 100: 2.5 is all of them twice, and half of them, chosen by chance, a third time. Groups that are not named: once.</summary>
    [JsonPropertyName("epochs")]
    public IReadOnlyDictionary<string, double> Epochs { get; init; } = new Dictionary<string, double>();

    /// <summary>Instead of epochs, the groups' shares of all tokens, in any unit ("zh": 3, "en": 2, "code": 5). Groups that are not named are left out.</summary>
    [JsonPropertyName("shares")]
    public IReadOnlyDictionary<string, double> Shares { get; init; } = new Dictionary<string, double>();

    /// <summary>With shares: how often the scarcest group, measured by its share, is repeated.</summary>
    [JsonPropertyName("maximum_epochs")]
    public double MaximumEpochs { get; init; } = 1;

    /// <summary>What is wrong with it; null if nothing.</summary>
    internal string? Problem()
    {
        if (Epochs.Count > 0 && Shares.Count > 0) return "\"epochs\" and \"shares\" exclude each other; give one of them.";
        if (Epochs.FirstOrDefault(e => e.Value is not (>= 0 and <= 100)) is { Key: { } group }) return $"\"epochs\" of \"{group}\" is from 0 to 100.";
        if (Shares.FirstOrDefault(s => !(s.Value >= 0 && double.IsFinite(s.Value))) is { Key: { } other }) return $"The share of \"{other}\" is a number of 0 or more.";
        if (Shares.Count > 0 && Shares.Values.Sum() == 0) return "\"shares\" has no share above 0.";
        return MaximumEpochs is > 0 and <= 100 ? null : "\"maximum_epochs\" is above 0 and at most 100.";
    }
}
