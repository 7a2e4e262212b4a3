using System.Text;
using Hadal.Data.Deduplication;
using Hadal.Data.Mixtures;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Pipeline.Work;

namespace Hadal.Data.Pipeline.Stages;

/// <summary>A part with its copies taken out, and the list of what was.</summary>
internal static class FinishStage
{
    public const string Name = "finish", Removed = "removed.jsonl";

    public static IReadOnlyList<WorkTask> Tasks(DataRecipe recipe, DeduplicationStages deduplication, IReadOnlyList<string> parts) =>
        [.. parts.Select((part, number) => new WorkTask(Math.Max(1, new FileInfo(Path.Combine(part, DocumentPart.Documents)).Length),
            (folder, cancellation) => Write(recipe, deduplication, parts, number, folder, cancellation)))];

    private static void Write(DataRecipe recipe, DeduplicationStages deduplication, IReadOnlyList<string> parts, int number, string folder, CancellationToken cancellation)
    {
        StageTally equal = new(DeduplicationStages.Exact), similar = new(DeduplicationStages.Near);
        using var table = deduplication.OpenTable();
        using var documents = new DocumentPart.Writer(folder);
        using var removed = new JsonLog(Path.Combine(folder, Removed));
        var groups = recipe.Tokens is { } tokens ? new GroupTally(tokens.Mixture.By) : null;
        var entries = table.Part(number);
        int at = 0;
        foreach (var document in DocumentPart.Read(parts[number]))
        {
            cancellation.ThrowIfCancellationRequested();
            var (rule, kept) = entries[at++];
            int bytes = Encoding.UTF8.GetByteCount(document.Text);
            string name = rule.ToString().ToLowerInvariant();
            if (rule is CopyRule.Exact or CopyRule.Normalized) equal.Drop(name);
            else equal.Keep(bytes);
            if (rule == CopyRule.Near) similar.Drop(name);
            else if (rule == CopyRule.None) similar.Keep(bytes);
            if (rule == CopyRule.None)
            {
                documents.Add(document);
                groups?.Add(document.Source, document.Language, bytes);
            }
            else removed.Add(("id", document.Id), ("stage", rule == CopyRule.Near ? similar.Stage : equal.Stage), ("rule", name), ("kept_id", IdOf(table.Last(kept))));
        }

        groups?.Save(folder);
        StageTally.Save(Path.Combine(folder, ReadStage.Tally), [equal, similar]);

        string IdOf(DocumentReference reference)
        {
            string part = parts[reference.Part];
            using var texts = File.OpenHandle(Path.Combine(part, DocumentPart.Documents));
            using var offsets = File.OpenHandle(Path.Combine(part, DocumentPart.Offsets));
            return DocumentPart.ReadAt(texts, offsets, reference.Number).Id;
        }
    }
}
