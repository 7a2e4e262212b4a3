using System.Text.Json;

namespace Hadal.Data.Mixtures;

/// <summary>Counts the groups of a part's documents.</summary>
internal sealed class GroupTally(GroupKind by)
{
    public const string File = "groups.json";

    // More groups than a dataset may have are a mistake in the recipe; counting stops there, so that a million sources do not fill the memory.
    private const int Most = 1024;
    private readonly SortedDictionary<string, MixtureGroup> _groups = new(StringComparer.Ordinal);

    public void Add(string source, string language, long bytes, long tokens = 0)
    {
        string name = GroupName.Of(by, source, language);
        Add(new MixtureGroup { Name = name, Documents = 1, Bytes = bytes, Tokens = tokens });
    }

    public void AddFile(string folder)
    {
        foreach (var group in JsonSerializer.Deserialize<List<MixtureGroup>>(System.IO.File.ReadAllBytes(Path.Combine(folder, File)))!) Add(group);
    }

    public void Save(string folder) => System.IO.File.WriteAllBytes(Path.Combine(folder, File), JsonSerializer.SerializeToUtf8Bytes(_groups.Values));

    /// <summary>All of them, by name.</summary>
    /// <exception cref="DataException">There are too many.</exception>
    public IReadOnlyList<MixtureGroup> All() => _groups.Count < Most ? [.. _groups.Values]
        : throw new DataException($"The documents have {Most} sources or more, and so many groups cannot be weighed; set \"mixture\": {{\"by\": \"language\"}}, or give the inputs a \"source\".");

    private void Add(MixtureGroup more)
    {
        if (!_groups.TryGetValue(more.Name, out var had))
        {
            if (_groups.Count < Most) _groups.Add(more.Name, more);
            return;
        }

        _groups[more.Name] = had with { Documents = had.Documents + more.Documents, Bytes = had.Bytes + more.Bytes, Tokens = had.Tokens + more.Tokens };
    }
}
