using Hadal.Model.Configuration;
using Hadal.Training.Model;

namespace Hadal.Training.Parameters;

/// <summary>The parameters of a model that a run leaves alone, chosen by patterns of their checkpoint names in which <c>*</c> stands for any characters.</summary>
internal sealed class FrozenParameters
{
    private readonly IReadOnlyList<string> _patterns;

    /// <exception cref="ConfigException">A pattern has no parameter, or nothing is left to train.</exception>
    public FrozenParameters(TrainingModel model, IReadOnlyList<string> patterns)
    {
        _patterns = patterns;
        if (patterns.Count == 0)
        {
            Trained = [.. model.Parameters.Regions];
            return;
        }

        string[] names = [.. model.Parameters.Named.Select(p => p.Name), .. model.BiasedLayers.Select(e => e.BiasName)];
        foreach (string pattern in patterns)
        {
            if (!names.Any(n => Matches(pattern, n)))
                throw new ConfigException("run file", "freeze", $"freeze: no parameter is called {pattern}; names are those of a checkpoint, such as model.layers.0.self_attn.o_proj.weight, and * stands for any characters");
        }

        var trained = new List<ParameterRegion>();
        var frozen = new List<ParameterRegion>();
        foreach (var (name, value) in model.Parameters.Named.OrderBy(p => p.Value.Weight.ByteOffset))
        {
            var part = new ParameterRegion(model.Parameters.OffsetOf(value), value.Weight.Count, value.Weight.Shape.Rank == 1);
            var parts = Contains(name) ? frozen : trained;

            // Experts of a layer lie side by side: one stretch again, unless the pattern takes some of them.
            if (parts is [.., var last] && last.Offset + last.Count == part.Offset && last.IsVector == part.IsVector) parts[^1] = last with { Count = last.Count + part.Count };
            else parts.Add(part);
        }

        if (trained.Count == 0) throw new ConfigException("run file", "freeze", "freeze: the patterns leave nothing to train");
        (Trained, Frozen) = (trained, frozen);
    }

    /// <summary>What the optimizer updates, in order.</summary>
    public IReadOnlyList<ParameterRegion> Trained { get; }

    /// <summary>What it leaves alone.</summary>
    public IReadOnlyList<ParameterRegion> Frozen { get; } = [];

    /// <summary>Whether a parameter or router bias is left alone.</summary>
    public bool Contains(string name) => _patterns.Any(p => Matches(p, name));

    /// <summary>Whether a name fits a pattern: between two <c>*</c> the earliest place is as good as any.</summary>
    public static bool Matches(string pattern, string name)
    {
        string[] parts = pattern.Split('*');
        if (parts.Length == 1) return pattern == name;
        if (name.Length < parts[0].Length + parts[^1].Length || !name.StartsWith(parts[0], StringComparison.Ordinal) || !name.EndsWith(parts[^1], StringComparison.Ordinal)) return false;
        int at = parts[0].Length, end = name.Length - parts[^1].Length;
        foreach (string part in parts[1..^1])
        {
            int found = name.AsSpan(at, end - at).IndexOf(part, StringComparison.Ordinal);
            if (found < 0) return false;
            at += found + part.Length;
        }

        return true;
    }
}
