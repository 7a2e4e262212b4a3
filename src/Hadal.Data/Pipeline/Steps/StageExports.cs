using Hadal.Data.Exports;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>Writes the documents of one task as they leave single stages, where the recipe asks for that.</summary>
internal sealed class StageExports : IDisposable
{
    private const string Prefix = "export-";
    private readonly IReadOnlyList<ExportRecipe> _wanted;
    private readonly string _folder;
    private readonly Dictionary<string, DocumentWriter> _writers = new(StringComparer.Ordinal);

    public StageExports(IReadOnlyList<ExportRecipe> wanted, string folder) => (_wanted, _folder) = (wanted, folder);

    /// <summary>Where a task puts what leaves a stage.</summary>
    public static string PathOf(string folder, ExportRecipe export) => Path.Combine(folder, $"{Prefix}{export.After}.{export.Format}");

    public void Add(string stage, StoredDocument d)
    {
        foreach (var export in _wanted)
        {
            if (export.After != stage) continue;
            string path = PathOf(_folder, export);
            if (!_writers.TryGetValue(path, out var writer)) _writers.Add(path, writer = DocumentWriter.Create(path));
            writer.Write(new ExportDocument(d.Id, d.Text, d.Source, d.Language.Length == 0 ? null : d.Language));
        }
    }

    /// <summary>Gives the files their names.</summary>
    public void Complete()
    {
        foreach (var writer in _writers.Values) writer.Complete();
    }

    public void Dispose()
    {
        foreach (var writer in _writers.Values) writer.Dispose();
    }
}
