namespace Hadal.Data.Mixtures;

/// <summary>From what there is and what is wanted to how often each group is seen.</summary>
internal static class Mixture
{
    /// <summary>Sets the epochs of all groups.</summary>
    /// <param name="groups">What there is; with tokens where shares are asked for.</param>
    /// <param name="settings">What is wanted.</param>
    /// <exception cref="DataException">A group that is named is not there.</exception>
    public static IReadOnlyList<MixtureGroup> Plan(IReadOnlyList<MixtureGroup> groups, MixtureSettings settings)
    {
        foreach (string name in settings.Epochs.Keys.Concat(settings.Shares.Keys))
        {
            if (groups.Any(g => g.Name == name)) continue;
            throw new DataException($"The mixture names the group \"{name}\", which has no document; there are {string.Join(", ", groups.Take(20).Select(g => g.Name))}{(groups.Count > 20 ? ", …" : "")}.");
        }

        if (settings.Shares.Count == 0) return [.. groups.Select(g => g with { Epochs = settings.Epochs.GetValueOrDefault(g.Name, 1) })];

        // Tokens for one unit of share, such that the group that has the fewest for its share is seen just as often as is allowed.
        double unit = groups.Where(g => settings.Shares.GetValueOrDefault(g.Name) > 0).Min(g => settings.MaximumEpochs * g.Tokens / settings.Shares[g.Name]);
        return [.. groups.Select(g => g with { Epochs = g.Tokens == 0 ? 0 : unit * settings.Shares.GetValueOrDefault(g.Name) / g.Tokens })];
    }

    /// <summary>How often a document is seen, by its own draw in [0, 1).</summary>
    public static int Copies(double epochs, double draw) => (int)Math.Floor(epochs) + (draw < epochs - Math.Floor(epochs) ? 1 : 0);
}
