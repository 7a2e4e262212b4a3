using System.Text.Json.Serialization;

namespace Hadal.Training.Activations;

/// <summary>Layers that compute activations again in the backward instead of keeping them: less memory, more arithmetic, the same bits.</summary>
public sealed record RecomputeRule
{
    /// <summary>
    /// What is computed again: <c>norms</c> (outputs of RMSNorm), <c>latent_up</c> (queries, keys and values from their latents), <c>swiglu</c> (outputs of SwiGLU; the
    /// precisions <c>bf16</c> and <c>fp8</c> do that anyway), <c>block</c> (the whole layer from its input).
    /// </summary>
    [JsonPropertyName("parts")]
    public IReadOnlyList<string> Parts { get; init; } = [];

    /// <summary>Which layers: <c>all</c>, or numbers and ranges from 0, such as <c>0-3,7</c>. MTP modules are numbered behind the layers of the main model.</summary>
    [JsonPropertyName("layers")]
    public string Layers { get; init; } = "all";

    /// <summary>The parts.</summary>
    internal RecomputedParts Flags
    {
        get
        {
            var flags = RecomputedParts.None;
            foreach (string part in Parts) flags |= Find(part) ?? RecomputedParts.None;
            return flags;
        }
    }

    /// <summary>What is wrong with it; null if nothing is.</summary>
    internal string? Complaint(int layers)
    {
        if (Parts is not { Count: > 0 }) return "parts has to name at least one of norms, latent_up, swiglu, block";
        if (Parts.FirstOrDefault(p => Find(p) is null) is { } unknown) return $"parts has \"{unknown}\", but can only have norms, latent_up, swiglu and block";
        if (Layers == "all") return null;
        return Ranges() is not { } ranges ? $"layers is \"{Layers}\", but has to be \"all\", or numbers and ranges such as \"0-3,7\""
            : ranges.Any(r => r.First > r.Last || r.Last >= layers) ? $"layers is \"{Layers}\", but the model has layers 0 to {layers - 1}, MTP modules included" : null;
    }

    /// <summary>Whether it is about a layer.</summary>
    internal bool Covers(int layer) => Layers == "all" || Ranges()!.Any(r => layer >= r.First && layer <= r.Last);

    private List<(int First, int Last)>? Ranges()
    {
        var ranges = new List<(int First, int Last)>();
        foreach (string part in (Layers ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            string[] ends = part.Split('-', 2, StringSplitOptions.TrimEntries);
            if (!Number(ends[0], out int first) || !Number(ends[^1], out int last)) return null;
            ranges.Add((first, last));
        }

        return ranges;

        static bool Number(string text, out int value) => int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out value);
    }

    private static RecomputedParts? Find(string part) => part switch
    {
        "norms" => RecomputedParts.Norms,
        "latent_up" => RecomputedParts.LatentUp,
        "swiglu" => RecomputedParts.SwiGlu,
        "block" => RecomputedParts.Block,
        _ => null,
    };
}
