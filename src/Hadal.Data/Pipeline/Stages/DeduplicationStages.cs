using System.Diagnostics;
using Hadal.Data.Deduplication;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Pipeline.Work;

namespace Hadal.Data.Pipeline.Stages;

/// <summary>
/// What goes as a copy. Keys of all parts are merged range by range; what is equal is written to a table of keepers; band entries of what is left are merged range by range
/// and give pairs; the pairs, merged, complete the table.
/// </summary>
internal sealed class DeduplicationStages(DataRecipe recipe, WorkFolder work, IReadOnlyList<string> parts)
{
    public const string Exact = "exact", ExactTable = "exact-table", Near = "near", NearTable = "near-table";
    private const string Removals = "removals", Pairs = "pairs", Table = "keepers.table";

    // Ranges are independent of the workers, so that files are too.
    private const int Ranges = 16;
    private readonly int[] _counts = [.. parts.Select(p => DocumentPart.Count(p))];

    /// <summary>The finished table, read only.</summary>
    public KeeperTable OpenTable() => KeeperTable.Open(Path.Combine(work.Of(NearTable, 0), Table), _counts);

    public void Run(StageRunner runner, CancellationToken cancellation)
    {
        runner.Run(Exact, InRanges(FindEqual), cancellation);
        runner.Run(ExactTable, [new WorkTask(1, WriteEqual)], cancellation);
        runner.Run(Near, InRanges(FindPairs), cancellation);
        runner.Run(NearTable, [new WorkTask(1, WriteNear)], cancellation);
    }

    private static List<WorkTask> InRanges(Action<ulong, ulong, string, CancellationToken> write)
    {
        var tasks = new List<WorkTask>();
        for (int i = 0; i < Ranges; i++)
        {
            ulong from = (ulong)(((UInt128)(uint)i << 64) / Ranges), last = (ulong)(((UInt128)(uint)(i + 1) << 64) / Ranges - 1);
            tasks.Add(new WorkTask(1, (folder, cancellation) => write(from, last, folder, cancellation)));
        }

        return tasks;
    }

    private static IReadOnlyList<string> Runs(IEnumerable<string> folders, string name) => [.. folders.SelectMany(f => RecordSpool<Removal>.RunsIn(f, name))];

    private IEnumerable<string> Results(string stage) => Enumerable.Range(0, Ranges).Select(i => work.Of(stage, i));

    private void FindEqual(ulong from, ulong last, string folder, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        using (var removals = new RecordSpool<Removal>(folder, Removals))
        {
            if (recipe.Deduplicate.Exact) ExactCopies.Find(RecordMerge.Of<ExactKey>(Runs(parts, KeyStage.ExactKeys), from, last, folder), removals.Add, cancellation);
        }

        SaveTime(folder, Exact, clock);
    }

    private void WriteEqual(string folder, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        using (var table = KeeperTable.Create(Path.Combine(folder, Table), _counts))
        {
            foreach (var removal in RecordMerge.Of<Removal>(Runs(Results(Exact), Removals), 0, ulong.MaxValue, folder))
            {
                cancellation.ThrowIfCancellationRequested();
                table.Set(removal.Document, removal.Rule, removal.Kept);
            }
        }

        SaveTime(folder, Exact, clock);
    }

    private void FindPairs(ulong from, ulong last, string folder, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        using (var pairs = new RecordSpool<CopyPair>(folder, Pairs))
        using (var equal = KeeperTable.Open(Path.Combine(work.Of(ExactTable, 0), Table), _counts))
        using (var comparison = new PairComparison(recipe.Deduplicate, parts))
        {
            if (recipe.Deduplicate.Near)
            {
                var entries = RecordMerge.Of<BandEntry>(Runs(parts, KeyStage.Bands), from, last, folder);
                NearCopies.FindPairs(entries, document => equal[document].Rule != CopyRule.None, comparison, pairs.Add, cancellation);
            }
        }

        SaveTime(folder, Near, clock);
    }

    private void WriteNear(string folder, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        string path = Path.Combine(folder, Table);
        File.Copy(Path.Combine(work.Of(ExactTable, 0), Table), path);
        using (var table = KeeperTable.Open(path, _counts, isChanged: true))
        using (var comparison = new PairComparison(recipe.Deduplicate, parts))
        {
            NearCopies.Resolve(RecordMerge.Of<CopyPair>(Runs(Results(Near), Pairs), 0, ulong.MaxValue, folder), table, comparison, cancellation);
        }

        SaveTime(folder, Near, clock);
    }

    private static void SaveTime(string folder, string stage, Stopwatch clock) =>
        StageTally.Save(Path.Combine(folder, ReadStage.Tally), [new StageTally(stage) { Seconds = clock.Elapsed.TotalSeconds }]);
}
