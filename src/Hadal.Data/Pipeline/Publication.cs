using System.Globalization;
using System.Text.Json;
using Hadal.Data.Exports;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Stages;
using Hadal.Data.Pipeline.Steps;
using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Pipeline.Work;
using Hadal.Data.Shards;
using Hadal.Model.Checkpoints;
using Hadal.Model.Tokenization;

namespace Hadal.Data.Pipeline;

/// <summary>Puts the results of all tasks together under their final names; <c>stages.jsonl</c> comes last and says that the build is done.</summary>
internal sealed class Publication(DataRecipe recipe, string folder, WorkFolder work)
{
    public const string Stages = "stages.jsonl", Removed = FinishStage.Removed, Documents = "documents.jsonl", Shards = "shards", Exports = "exports";
    private const string Moved = ".moved";

    /// <summary>Concatenates a file of each of several tasks.</summary>
    public void Join(IEnumerable<string> folders, string name)
    {
        AtomicFile.Write(Path.Combine(folder, name), joined =>
        {
            foreach (string task in folders)
            {
                using var part = File.OpenRead(Path.Combine(task, name));
                part.CopyTo(joined);
            }
        });
    }

    /// <summary>Of all tasks' examples, those that are kept.</summary>
    public void WriteSamples(IEnumerable<string> folders)
    {
        var samples = new SampleSet(recipe.Samples, recipe.Seed);
        foreach (string task in folders) samples.AddFile(Path.Combine(task, SampleSet.File));
        AtomicFile.Write(Path.Combine(folder, SampleSet.File), samples.Save);
    }

    /// <summary>Moves what leaves single stages to its place.</summary>
    /// <param name="tasks">Folders of all tasks that may have written some, in the order of the input.</param>
    public void MoveExports(IReadOnlyList<string> tasks)
    {
        foreach (var export in recipe.Exports)
        {
            string target = Path.Combine(folder, Exports, export.After);
            Directory.CreateDirectory(target);
            for (int i = 0, part = 0; i < tasks.Count; i++)
            {
                string to = Path.Combine(target, string.Create(CultureInfo.InvariantCulture, $"part-{part:D6}.{export.Format}")), from = StageExports.PathOf(tasks[i], export);

                // A build that was stopped while it moved them finds some of them moved, and knows by the mark which.
                if (!File.Exists(from) && !File.Exists(from + Moved)) continue;
                if (File.Exists(from))
                {
                    File.WriteAllBytes(from + Moved, []);
                    File.Move(from, to, overwrite: true);
                }

                part++;
            }
        }
    }

    /// <summary>Writes what is left as one file, in the order of the input.</summary>
    public void WriteDocuments(IReadOnlyList<string> finished, CancellationToken cancellation)
    {
        using var writer = DocumentWriter.Create(Path.Combine(folder, Documents));
        foreach (string part in finished)
        {
            foreach (var d in DocumentPart.Read(part))
            {
                cancellation.ThrowIfCancellationRequested();
                writer.Write(new ExportDocument(d.Id, d.Text, d.Source, d.Language.Length == 0 ? null : d.Language));
            }
        }

        writer.Complete();
    }

    /// <summary>Writes packed rows as a dataset of shards.</summary>
    public void WriteShards(TokenRecipe tokens, TokenStages stages, DocumentEncoder encoder, IReadOnlyList<string> finished, CancellationToken cancellation)
    {
        using var writer = new TokenShardWriter(Path.Combine(folder, Shards), new TokenShardOptions
        {
            RowTokens = tokens.RowTokens,
            VocabularySize = encoder.Tokenizer.VocabularySize,
            EndId = encoder.EndId,
            PadId = encoder.Tokenizer.PadId,
            TokenizerSha256 = Tokenizer.FileSha256(tokens.Tokenizer),
            Seed = recipe.Seed,
            ShardBytes = tokens.ShardBytes,
        });
        foreach (string part in finished)
        {
            foreach (var d in DocumentPart.Read(part))
            {
                cancellation.ThrowIfCancellationRequested();
                writer.AddDocument(d.Id, d.Source);
            }
        }

        foreach (var (task, group) in stages.Rows())
        {
            foreach (var (pieces, row) in RowFile.Read(task))
            {
                cancellation.ThrowIfCancellationRequested();
                writer.AddRow(group, pieces.Span, row.Span);
            }
        }

        if (writer.Rows == 0) throw new DataException("No document is left that could become a row of tokens; removed.jsonl says where they went.", folder);
        writer.Complete();
    }

    /// <summary>Adds up what the tasks counted, ends the build and deletes the work.</summary>
    public void Complete(IReadOnlyList<string> stages)
    {
        var tallies = stages.ToDictionary(s => s, s => new StageTally(s));
        foreach (string file in Directory.EnumerateFiles(work.Root, ReadStage.Tally, SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            foreach (var tally in StageTally.Load(file)) tallies[tally.Stage].Add(tally);
        }

        AtomicFile.Write(Path.Combine(folder, Stages), file =>
        {
            foreach (var tally in tallies.Values)
            {
                JsonSerializer.Serialize(file, tally);
                file.WriteByte((byte)'\n');
            }
        });
        Directory.Delete(work.Root, recursive: true);
    }
}
