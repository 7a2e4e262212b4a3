using System.Globalization;
using System.Runtime.InteropServices;

namespace Hadal.Data.Pipeline.Storage;

/// <summary>Collects records in any order and leaves them as sorted files ("runs"), holding no more than a given number of them.</summary>
/// <remarks>Which records share a run depends on the order of adding; a merge of all runs does not. Equal records of a run are written once.</remarks>
internal sealed class RecordSpool<T> : IDisposable where T : unmanaged, IRecord<T>
{
    private readonly string _folder, _name;
    private readonly List<T> _records = [];
    private readonly int _most;
    private int _runs;

    /// <param name="folder">Where the runs go.</param>
    /// <param name="name">What they are called.</param>
    /// <param name="mostBytes">Of memory.</param>
    public RecordSpool(string folder, string name, long mostBytes = 16 << 20)
    {
        (_folder, _name) = (folder, name);
        _most = (int)Math.Clamp(mostBytes / Marshal.SizeOf<T>(), 1024, 1 << 26);
    }

    public static IEnumerable<string> RunsIn(string folder, string name) =>
        Directory.Exists(folder) ? Directory.GetFiles(folder, name + ".*.run").Order(StringComparer.Ordinal) : [];

    public void Add(T record)
    {
        if (_records.Count == _most) Flush();
        _records.Add(record);
    }

    /// <summary>Writes what is held.</summary>
    public void Flush()
    {
        if (_records.Count == 0) return;
        _records.Sort();
        var all = CollectionsMarshal.AsSpan(_records);
        using var file = new RecordWriter<T>(Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{_name}.{_runs++:D4}.run")));
        for (int i = 0; i < all.Length; i++)
        {
            if (i == 0 || all[i].CompareTo(all[i - 1]) != 0) file.Add(all[i]);
        }

        _records.Clear();
    }

    public void Dispose() => Flush();
}
