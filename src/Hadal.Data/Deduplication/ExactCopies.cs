namespace Hadal.Data.Deduplication;

/// <summary>Copies that are equal: of each text the first document of the input stays.</summary>
internal static class ExactCopies
{
    /// <summary>Finds what goes of one range of keys.</summary>
    /// <param name="keys">Sorted.</param>
    /// <param name="found">Receives what goes.</param>
    /// <param name="cancellation">Stops between documents.</param>
    public static void Find(IEnumerable<ExactKey> keys, Action<Removal> found, CancellationToken cancellation)
    {
        ExactKey? first = null;
        var texts = new HashSet<ulong>();
        foreach (var key in keys)
        {
            cancellation.ThrowIfCancellationRequested();
            if (first is { } kept && kept.IsSameText(key))
            {
                var rule = texts.Add(key.Original) ? CopyRule.Normalized : CopyRule.Exact;
                found(new Removal(key.Document, kept.Document, (ulong)rule));
                continue;
            }

            first = key;
            texts.Clear();
            texts.Add(key.Original);
        }
    }
}
