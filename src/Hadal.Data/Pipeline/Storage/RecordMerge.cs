using System.Globalization;

namespace Hadal.Data.Pipeline.Storage;

/// <summary>All records of many sorted files in order, equal ones once, with a small buffer a file.</summary>
internal static class RecordMerge
{
    // So many files are read at once; more are merged in groups first.
    private const int Together = 256;

    /// <param name="runs">The files.</param>
    /// <param name="from">Leading keys begin here.</param>
    /// <param name="last">And end here, this one included.</param>
    /// <param name="scratch">A folder for merged groups; what is put there stays.</param>
    public static IEnumerable<T> Of<T>(IReadOnlyList<string> runs, ulong from, ulong last, string scratch) where T : unmanaged, IRecord<T>
    {
        for (int level = 0; runs.Count > Together; level++)
        {
            var merged = new List<string>();
            foreach (string[] group in runs.Chunk(Together))
            {
                string path = Path.Combine(scratch, string.Create(CultureInfo.InvariantCulture, $"merge-{level}-{merged.Count:D5}.scratch"));
                using (var writer = new RecordWriter<T>(path))
                {
                    foreach (var record in Merge<T>(group, from, last)) writer.Add(record);
                }

                merged.Add(path);
            }

            runs = merged;
        }

        return Merge<T>(runs, from, last);
    }

    private static IEnumerable<T> Merge<T>(IReadOnlyList<string> paths, ulong from, ulong last) where T : unmanaged, IRecord<T>
    {
        var runs = new List<RecordRun<T>>();
        try
        {
            var next = new PriorityQueue<RecordRun<T>, T>();
            foreach (string path in paths)
            {
                var run = new RecordRun<T>(path, from, last);
                runs.Add(run);
                if (run.Next()) next.Enqueue(run, run.Current);
            }

            bool any = false;
            T before = default;
            while (next.TryPeek(out var run, out var record))
            {
                if (run.Next()) next.DequeueEnqueue(run, run.Current);
                else next.Dequeue();
                if (any && record.CompareTo(before) == 0) continue;
                (any, before) = (true, record);
                yield return record;
            }
        }
        finally
        {
            foreach (var run in runs) run.Dispose();
        }
    }
}
