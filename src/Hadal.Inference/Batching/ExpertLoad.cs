using Hadal.Inference.Running;
using Hadal.Numerics;

namespace Hadal.Inference.Batching;

/// <summary>Counts which experts are chosen: over everything, and for single texts.</summary>
internal sealed class ExpertLoad(IBackend backend, int layers, int experts) : IForwardObserver
{
    private readonly List<(int First, int Count, int[] Counts)> _watched = [];
    private int[] _chosen = [];

    /// <summary>Layer after layer, the MTP module's left out.</summary>
    public long[] Counts { get; } = new long[layers * experts];

    public int Experts => experts;

    /// <summary>New counts for a text.</summary>
    public int[] CreateCounts() => new int[layers * experts];

    /// <summary>Begins a step.</summary>
    public void Begin() => _watched.Clear();

    /// <summary>Rows of the step belong to a text that counts.</summary>
    public void Watch(int first, int count, int[] counts) => _watched.Add((first, count, counts));

    public void Observe(ForwardPoint point, int layer, Tensor values)
    {
        if (point != ForwardPoint.Experts || layer >= layers) return;
        int size = (int)values.Count, perRow = values.Columns, start = layer * experts;
        if (_chosen.Length < size) _chosen = new int[size];
        var chosen = _chosen.AsSpan(0, size);
        backend.Read(values, chosen);
        foreach (int expert in chosen) Counts[start + expert]++;
        foreach (var (first, count, counts) in _watched)
        {
            foreach (int expert in chosen.Slice(first * perRow, count * perRow)) counts[start + expert]++;
        }
    }
}
