using System.Diagnostics;
using System.Globalization;
using System.Text;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Steps;
using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Pipeline.Work;
using Hadal.Data.Sources;

namespace Hadal.Data.Pipeline.Stages;

/// <summary>Inputs become parts: runs of documents of about the same amount of text. A task reads one large file, or neighbouring small ones.</summary>
internal static class ReadStage
{
    public const string Name = "read", Problems = "problems.jsonl", Tally = "tally.json";
    private const long TaskBytes = 16 << 20;
    private const int TaskFiles = 1024, PartDocuments = 1 << 14;

    /// <summary>The tasks, from the files in their order.</summary>
    public static IReadOnlyList<WorkTask> Tasks(DataRecipe recipe, IReadOnlyList<(InputFile File, InputRecipe Input)> files)
    {
        var tasks = new List<WorkTask>();
        var group = new List<(InputFile, InputRecipe)>();
        long bytes = 0;
        foreach (var entry in files)
        {
            if (group.Count > 0 && (bytes + entry.File.Bytes > TaskBytes || group.Count == TaskFiles)) Close();
            group.Add(entry);
            bytes += entry.File.Bytes;
        }

        if (group.Count > 0) Close();
        return tasks;

        void Close()
        {
            var own = group.ToArray();
            tasks.Add(new WorkTask(Math.Max(1, bytes), (folder, cancellation) => Read(recipe, own, folder, cancellation)));
            group.Clear();
            bytes = 0;
        }
    }

    /// <summary>All parts in the order of the input.</summary>
    public static IReadOnlyList<PartFile> Parts(WorkFolder work, int tasks)
    {
        var parts = new List<PartFile>();
        for (int i = 0; i < tasks; i++)
        {
            string folder = work.Of(Name, i);
            foreach (string file in Directory.GetFiles(folder, "*" + DocumentPart.Documents).Order(StringComparer.Ordinal))
            {
                parts.Add(new PartFile(folder, Path.GetFileName(file)[..^DocumentPart.Documents.Length], new FileInfo(file).Length));
            }
        }

        return parts;
    }

    private static void Read(DataRecipe recipe, IReadOnlyList<(InputFile File, InputRecipe Input)> files, string folder, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var tally = new StageTally(Name);
        using var problems = new JsonLog(Path.Combine(folder, Problems));
        using var exports = new StageExports(recipe.Exports, folder);
        DocumentPart.Writer? part = null;
        long bytes = 0;
        int parts = 0;
        try
        {
            foreach (var (file, input) in files)
            {
                var report = new JsonLogReport(problems, tally);
                foreach (var document in InputReader.Read(file, input.Options(recipe.MaximumDocumentBytes), report))
                {
                    cancellation.ThrowIfCancellationRequested();
                    int length = Encoding.UTF8.GetByteCount(document.Text);
                    if (part is not null && (bytes + length > recipe.PartBytes || part.Count == PartDocuments))
                    {
                        part.Dispose();
                        part = null;
                        bytes = 0;
                    }

                    part ??= new DocumentPart.Writer(folder, string.Create(CultureInfo.InvariantCulture, $"{parts++:D6}."));
                    var stored = new StoredDocument(document.Id, document.Source, document.Language ?? "", document.Text, StoredDocument.HashOf(document.Text));
                    part.Add(stored);
                    exports.Add(Name, stored);
                    bytes += length;
                    tally.Keep(length);
                }
            }
        }
        finally
        {
            part?.Dispose();
        }

        exports.Complete();
        tally.Seconds = clock.Elapsed.TotalSeconds;
        StageTally.Save(Path.Combine(folder, Tally), [tally]);
    }
}
