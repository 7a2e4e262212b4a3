using System.Runtime.InteropServices;
using Hadal.Data.Pipeline.Storage;
using Microsoft.Win32.SafeHandles;

namespace Hadal.Data.Deduplication;

/// <summary>
/// Whether two documents are nearly the same. Their sketches decide where they are three standard errors away from the threshold; between, the shingles of both texts are
/// counted. Not thread-safe: it keeps files open.
/// </summary>
/// <param name="settings">The threshold and the shingles.</param>
/// <param name="parts">Folders of the parts, with their sketches.</param>
internal sealed class PairComparison(DeduplicationSettings settings, IReadOnlyList<string> parts) : IDisposable
{
    private const int MostOpenParts = 64;
    private readonly Dictionary<int, OpenPart> _open = [];
    private readonly Queue<int> _opened = [];
    private readonly Shingles _shingles = new();
    private readonly double _margin = 3 * Math.Sqrt(settings.Threshold * (1 - settings.Threshold) / settings.Places);

    /// <summary>A document's sketch.</summary>
    public uint[] Sketch(DocumentReference document)
    {
        uint[] sketch = new uint[settings.Places];
        RandomAccess.Read(Part(document.Part).Sketches, MemoryMarshal.AsBytes(sketch.AsSpan()), (long)document.Number * settings.Places * sizeof(uint));
        return sketch;
    }

    /// <summary>Whether two documents reach the threshold.</summary>
    public bool AreCopies(DocumentReference a, ReadOnlySpan<uint> sketchA, DocumentReference b, ReadOnlySpan<uint> sketchB)
    {
        double estimate = MinHash.Estimate(sketchA, sketchB);
        if (estimate < settings.Threshold - _margin) return false;
        return estimate >= settings.Threshold + _margin || Shingles.Jaccard(SetOf(a), SetOf(b)) >= settings.Threshold;
    }

    public void Dispose()
    {
        foreach (var part in _open.Values) part.Dispose();
        _open.Clear();
    }

    private uint[] SetOf(DocumentReference document)
    {
        var part = Part(document.Part);
        var read = DocumentPart.ReadAt(part.Documents, part.Offsets, document.Number);
        return _shingles.SetOf(read.Text, settings.ShinglesOf(read.Language));
    }

    private OpenPart Part(int number)
    {
        if (_open.TryGetValue(number, out var part)) return part;
        if (_open.Count == MostOpenParts && _open.Remove(_opened.Dequeue(), out var oldest)) oldest.Dispose();
        string folder = parts[number];
        part = new OpenPart(
            File.OpenHandle(Path.Combine(folder, DocumentPart.Documents)), File.OpenHandle(Path.Combine(folder, DocumentPart.Offsets)),
            File.OpenHandle(Path.Combine(folder, SketchFile.Name)));
        _open.Add(number, part);
        _opened.Enqueue(number);
        return part;
    }

    private sealed record OpenPart(SafeFileHandle Documents, SafeFileHandle Offsets, SafeFileHandle Sketches) : IDisposable
    {
        public void Dispose()
        {
            Documents.Dispose();
            Offsets.Dispose();
            Sketches.Dispose();
        }
    }
}
