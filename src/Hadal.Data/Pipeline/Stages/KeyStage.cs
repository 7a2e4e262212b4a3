using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Hadal.Data.Corpora;
using Hadal.Data.Deduplication;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Steps;
using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Pipeline.Work;

namespace Hadal.Data.Pipeline.Stages;

/// <summary>A part read goes through the steps before deduplication, and becomes a part with what copies are found by: keys of equal texts, sketches, and a band entry for each band of a sketch.</summary>
internal static class KeyStage
{
    public const string Name = "keys", ExactKeys = "exact", Bands = "bands";

    public static IReadOnlyList<WorkTask> Tasks(DataRecipe recipe, IReadOnlyList<IDocumentStep> steps, MemoryBudget budget, IReadOnlyList<PartFile> parts) =>
        [.. parts.Select((part, number) => new WorkTask(Math.Max(1, part.Bytes), (folder, cancellation) => Write(recipe, steps, budget, part, number, folder, cancellation)))];

    private static void Write(DataRecipe recipe, IReadOnlyList<IDocumentStep> steps, MemoryBudget budget, PartFile part, int number, string folder, CancellationToken cancellation)
    {
        var settings = recipe.Deduplicate;
        StageTally equal = new(DeduplicationStages.Exact), similar = new(DeduplicationStages.Near);
        Stopwatch equalClock = new(), similarClock = new();
        var hashes = new MinHash(settings.Places, recipe.Seed);
        var shingles = new Shingles();
        uint[] sketch = new uint[settings.Places];
        using var documents = new DocumentPart.Writer(folder);
        using var keys = new RecordSpool<ExactKey>(folder, ExactKeys);
        using var bands = new RecordSpool<BandEntry>(folder, Bands);
        using var sketches = new FileStream(Path.Combine(folder, SketchFile.Name), FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        using var removed = new JsonLog(Path.Combine(folder, FinishStage.Removed));
        using var exports = new StageExports(recipe.Exports, folder);
        var samples = new SampleSet(recipe.Samples, recipe.Seed);
        var chain = new StepChain(steps, removed, samples, exports);
        foreach (var read in DocumentPart.Read(part.Folder, part.Name))
        {
            cancellation.ThrowIfCancellationRequested();
            using var turn = budget.Enter(read.Text);
            if (chain.Run(read) is not { } document) continue;
            var reference = new DocumentReference(number, documents.Count);
            documents.Add(document);
            if (settings.Exact)
            {
                equalClock.Start();
                var form = StoredDocument.WideHashOf(DeduplicationForm.Of(document.Text));
                keys.Add(new ExactKey((ulong)(form >> 64), (ulong)form, document.Original, reference));
                equalClock.Stop();
            }

            if (!settings.Near) continue;
            similarClock.Start();
            var rule = settings.ShinglesOf(document.Language);
            var members = shingles.Of(document.Text, rule);
            hashes.Sketch(members, sketch);
            sketches.Write(MemoryMarshal.AsBytes(sketch.AsSpan()));
            ulong cut = SplitHash.Mix((ulong)rule.Of * 256 + (ulong)rule.Length);
            var standing = Standing.Of(settings.Keep, Encoding.UTF8.GetByteCount(document.Text), reference);
            for (int band = 0; band < settings.Bands && !members.IsEmpty; band++) bands.Add(new BandEntry(MinHash.BandKey(sketch, band, settings.Rows) ^ cut, standing));
            similarClock.Stop();
        }

        (equal.Seconds, similar.Seconds) = (equalClock.Elapsed.TotalSeconds, similarClock.Elapsed.TotalSeconds);
        exports.Complete();
        samples.Save(Path.Combine(folder, SampleSet.File));
        StageTally.Save(Path.Combine(folder, ReadStage.Tally), [.. chain.Tallies, equal, similar]);
    }
}
