namespace Hadal.Data.Decontamination;

/// <summary>What a text was found to hold of one part of an item.</summary>
internal sealed class PartMatch
{
    private readonly List<(int Start, int End)> _stretches = [];

    /// <summary>Different windows of the part.</summary>
    public int Windows { get; set; }

    /// <summary>The stretches of the text that match, in order, without overlap.</summary>
    public IReadOnlyList<(int Start, int End)> Stretches => _stretches;

    public void Add(int start, int end)
    {
        if (_stretches.Count > 0 && _stretches[^1].End >= start) _stretches[^1] = (_stretches[^1].Start, Math.Max(_stretches[^1].End, end));
        else _stretches.Add((start, end));
    }
}
