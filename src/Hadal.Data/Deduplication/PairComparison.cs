using System.Runtime.InteropServices;
using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Deduplication;

/// <summary>
/// Whether two documents are nearly the same. Their sketches decide where they are three standard errors away from the threshold; between, the shingles of both texts are
/// counted. Not thread-safe: it keeps files open.
/// </summary>
/// <param name="settings">The threshold and the shingles.</param>
/// <param name="parts">Folders of the parts, with their sketches.</param>
internal sealed class PairComparison(DeduplicationSettings settings, IReadOnlyList<string> parts) : IDisposable
{
    private readonly OpenFiles _files = new();
    private readonly Shingles _shingles = new();
    private readonly double _margin = 3 * Math.Sqrt(settings.Threshold * (1 - settings.Threshold) / settings.Places);

    /// <summary>A document's sketch.</summary>
    public uint[] Sketch(DocumentReference document)
    {
        uint[] sketch = new uint[settings.Places];
        _files.Read(Path.Combine(parts[document.Part], SketchFile.Name), (long)document.Number * settings.Places * sizeof(uint), MemoryMarshal.AsBytes(sketch.AsSpan()));
        return sketch;
    }

    /// <summary>Whether two documents reach the threshold.</summary>
    public bool AreCopies(DocumentReference a, ReadOnlySpan<uint> sketchA, DocumentReference b, ReadOnlySpan<uint> sketchB)
    {
        double estimate = MinHash.Estimate(sketchA, sketchB);
        if (estimate < settings.Threshold - _margin) return false;
        return estimate >= settings.Threshold + _margin || Shingles.Jaccard(SetOf(a), SetOf(b)) >= settings.Threshold;
    }

    public void Dispose() => _files.Dispose();

    private uint[] SetOf(DocumentReference document)
    {
        var read = DocumentPart.ReadAt(_files, parts[document.Part], document.Number);
        return _shingles.SetOf(read.Text, settings.ShinglesOf(read.Language));
    }
}
