using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Deduplication;

/// <summary>Near copies: first the pairs that share a band, then, in the order of standing, which documents go.</summary>
internal static class NearCopies
{
    // Documents of a bucket are compared with so many that stand first and are no copies of each other: buckets of thousands stay linear.
    private const int MostLeaders = 32;

    /// <summary>Finds the pairs of one range of buckets.</summary>
    /// <param name="entries">Sorted by key, then standing.</param>
    /// <param name="isGone">Documents that left already.</param>
    /// <param name="comparison">Compares.</param>
    /// <param name="found">Receives the pairs.</param>
    /// <param name="cancellation">Stops between documents.</param>
    public static void FindPairs(
        IEnumerable<BandEntry> entries, Func<DocumentReference, bool> isGone, PairComparison comparison, Action<CopyPair> found, CancellationToken cancellation)
    {
        var leaders = new List<(Standing Standing, uint[]? Sketch)>();
        ulong key = 0;
        foreach (var entry in entries)
        {
            cancellation.ThrowIfCancellationRequested();
            if (entry.Key != key) leaders.Clear();
            key = entry.Key;
            if (isGone(entry.Standing.Document)) continue;
            if (leaders.Count == 0)
            {
                // Most buckets hold one document, and its sketch is never needed.
                leaders.Add((entry.Standing, null));
                continue;
            }

            leaders[0] = leaders[0] with { Sketch = leaders[0].Sketch ?? comparison.Sketch(leaders[0].Standing.Document) };
            uint[] sketch = comparison.Sketch(entry.Standing.Document);
            bool isCopy = false;
            foreach (var (standing, other) in leaders)
            {
                if (!comparison.AreCopies(entry.Standing.Document, sketch, standing.Document, other)) continue;
                found(new CopyPair(entry.Standing, standing));
                isCopy = true;
                break;
            }

            if (!isCopy && leaders.Count < MostLeaders) leaders.Add((entry.Standing, sketch));
        }
    }

    /// <summary>Decides from the pairs, sorted, which documents go: those that are copies of one that stays.</summary>
    /// <remarks>A document whose partners have all gone is compared with those that stay for them, so that nothing goes for a text that it does not resemble.</remarks>
    public static void Resolve(IEnumerable<CopyPair> pairs, KeeperTable table, PairComparison comparison, CancellationToken cancellation)
    {
        var partners = new List<DocumentReference>();
        DocumentReference? current = null;
        foreach (var pair in pairs)
        {
            cancellation.ThrowIfCancellationRequested();
            if (current is { } done && done != pair.Copy.Document) Decide(done);
            current = pair.Copy.Document;
            partners.Add(pair.Kept.Document);
        }

        if (current is { } last) Decide(last);

        void Decide(DocumentReference document)
        {
            DocumentReference? kept = null;
            foreach (var partner in partners)
            {
                if (table[partner].Rule == CopyRule.None) kept ??= partner;
            }

            if (kept is null)
            {
                uint[] sketch = comparison.Sketch(document);
                foreach (var partner in partners)
                {
                    var stays = table.Last(partner);
                    if (stays == document || !comparison.AreCopies(document, sketch, stays, comparison.Sketch(stays))) continue;
                    kept = stays;
                    break;
                }
            }

            if (kept is { } keeper) table.Set(document, CopyRule.Near, keeper);
            partners.Clear();
        }
    }
}
