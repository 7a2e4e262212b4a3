using System.Diagnostics;
using System.Text;
using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Measurement;

/// <summary>Where the time of a backend goes, kernel by kernel; see <see cref="CpuBackend.Profile"/>.</summary>
/// <remarks>What the calling thread does between kernels (small copies, preparations) is in no entry. Not thread-safe: one thread at a time uses the backend.</remarks>
public sealed class KernelProfile
{
    private readonly Dictionary<Type, (long Calls, long Ticks)> _entries = [];

    /// <summary>What has been measured since the last <see cref="Clear"/>, the longest first.</summary>
    /// <returns>An entry per kind of work.</returns>
    public IReadOnlyList<KernelTime> Entries() =>
        [.. _entries.Select(e => new KernelTime(Name(e.Key), e.Value.Calls, Stopwatch.GetElapsedTime(0, e.Value.Ticks))).OrderByDescending(e => e.Time)];

    /// <summary>Forgets everything.</summary>
    public void Clear() => _entries.Clear();

    internal void Add(Type job, long ticks)
    {
        var (calls, before) = _entries.GetValueOrDefault(job);
        _entries[job] = (calls + 1, before + ticks);
    }

    // AttentionBackwardKernel in whatever wrapping: "attention backward".
    internal static string Name(Type job)
    {
        var inner = job.GenericTypeArguments.FirstOrDefault(t => t.IsAssignableTo(typeof(IKernel)) || t.IsAssignableTo(typeof(ITiledProduct))) ?? job;
        if (inner == typeof(GemmProblem)) return "product, FP32";
        if (inner == typeof(PanelProblem)) return "product, coded";
        string name = inner.Name.Split('`')[0];
        foreach (string ending in (string[])["Kernel", "Job"])
        {
            if (name.EndsWith(ending, StringComparison.Ordinal) && name.Length > ending.Length) name = name[..^ending.Length];
        }

        var words = new StringBuilder();
        for (int i = 0; i < name.Length; i++)
        {
            bool starts = i > 0 && char.IsUpper(name[i]) && (char.IsLower(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (starts) words.Append(' ');
            words.Append(char.ToLowerInvariant(name[i]));
        }

        return words.ToString();
    }
}
