using System.Text;
using Hadal.Data.Deduplication;
using Hadal.Data.Mixtures;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Steps;
using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Pipeline.Work;

namespace Hadal.Data.Pipeline.Stages;

/// <summary>A part with its copies taken out and taken through the steps behind deduplication, and the list of what went.</summary>
internal static class FinishStage
{
    public const string Name = "finish", Removed = "removed.jsonl";

    public static IReadOnlyList<WorkTask> Tasks(DataRecipe recipe, IReadOnlyList<IDocumentStep> steps, MemoryBudget budget, DeduplicationStages deduplication, IReadOnlyList<string> parts) =>
        [.. parts.Select((part, number) => new WorkTask(Math.Max(1, new FileInfo(Path.Combine(part, DocumentPart.Documents)).Length),
            (folder, cancellation) => Write(recipe, steps, budget, deduplication, parts, number, folder, cancellation)))];

    private static void Write(DataRecipe recipe, IReadOnlyList<IDocumentStep> steps, MemoryBudget budget, DeduplicationStages deduplication, IReadOnlyList<string> parts, int number, string folder, CancellationToken cancellation)
    {
        StageTally equal = new(DeduplicationStages.Exact), similar = new(DeduplicationStages.Near);
        using var table = deduplication.OpenTable();
        using var files = new OpenFiles();
        using var documents = new DocumentPart.Writer(folder);
        using var removed = new JsonLog(Path.Combine(folder, Removed));
        using var exports = new StageExports(recipe.Exports, folder);
        var samples = new SampleSet(recipe.Samples, recipe.Seed);
        var chain = new StepChain(steps, removed, samples, exports);
        var groups = recipe.Tokens is { } tokens ? new GroupTally(tokens.Mixture.By) : null;
        var entries = table.Part(number);
        int at = 0;
        foreach (var document in DocumentPart.Read(parts[number]))
        {
            cancellation.ThrowIfCancellationRequested();
            using var turn = budget.Enter(document.Text);
            var (rule, kept) = entries[at++];
            if (rule != CopyRule.None)
            {
                string name = rule.ToString().ToLowerInvariant(), keptId = IdOf(table.Last(kept));
                var tally = rule == CopyRule.Near ? similar : equal;
                if (rule == CopyRule.Near) Keep(equal, document);
                tally.Drop(name);
                removed.Add(("id", document.Id), ("stage", tally.Stage), ("rule", name), ("kept_id", keptId));
                samples.Add(tally.Stage, name, document, $"a copy of {keptId}");
                continue;
            }

            Keep(equal, document);
            Keep(similar, document);
            if (chain.Run(document) is not { } left) continue;
            documents.Add(left);
            groups?.Add(left.Source, left.Language, Encoding.UTF8.GetByteCount(left.Text));
        }

        exports.Complete();
        groups?.Save(folder);
        samples.Save(Path.Combine(folder, SampleSet.File));
        StageTally.Save(Path.Combine(folder, ReadStage.Tally), [equal, similar, .. chain.Tallies]);

        void Keep(StageTally tally, StoredDocument document)
        {
            tally.Keep(Encoding.UTF8.GetByteCount(document.Text));
            exports.Add(tally.Stage, document);
        }

        string IdOf(DocumentReference reference) => DocumentPart.ReadAt(files, parts[reference.Part], reference.Number).Id;
    }
}
