using System.Globalization;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>One GGUF file, or all parts of a split one.</summary>
internal sealed class GgufSet : IDisposable
{
    private const string Number = "split.no", Count = "split.count", TensorCount = "split.tensors.count";
    private readonly List<GgufFile> _files = [];
    private readonly Dictionary<string, (GgufFile File, GgufTensor Tensor)> _byName = new(StringComparer.Ordinal);

    private GgufSet()
    {
    }

    /// <summary>The file with the metadata.</summary>
    public GgufFile First => _files[0];

    public GgufMetadata Metadata => First.Metadata;

    public IEnumerable<(GgufFile File, GgufTensor Tensor)> Tensors => _files.SelectMany(f => f.Tensors.OrderBy(t => t.Offset).Select(t => (f, t)));

    /// <exception cref="CheckpointException">A file is missing, malformed, or does not belong to the others.</exception>
    public static GgufSet Open(string path)
    {
        var set = new GgufSet();
        try
        {
            set.Add(GgufFile.Open(path));
            int count = set.Metadata.Whole(Count, 0, 99_999) ?? 0;
            if (count > 1) set.OpenParts(path, count);
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    public (GgufFile File, GgufTensor Tensor)? Find(string name) => _byName.TryGetValue(name, out var found) ? found : null;

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
        _files.Clear();
    }

    private void OpenParts(string path, int count)
    {
        int number = Metadata.RequiredWhole(Number, 0, count - 1);
        if (number != 0) throw new CheckpointException(path, null, $"this is part {number + 1} of {count}; the model is opened by its first part, which ends in {Ending(0, count)}");
        if (!path.EndsWith(Ending(0, count), StringComparison.OrdinalIgnoreCase))
            throw new CheckpointException(path, null, $"this is the first of {count} parts, so its name must end in {Ending(0, count)} for the others to be found");
        string stem = path[..^Ending(0, count).Length];
        for (int i = 1; i < count; i++)
        {
            string part = stem + Ending(i, count);
            if (!File.Exists(part)) throw new CheckpointException(part, null, $"part {i + 1} of {count} is missing");
            var file = GgufFile.Open(part);
            Add(file);
            if (file.Metadata.Whole(Number) != i || file.Metadata.Whole(Count) != count)
                throw new CheckpointException(part, null, $"this is not part {i + 1} of {count}: its {Number} and {Count} say otherwise");
        }

        if (Metadata.Whole(TensorCount) is { } tensors && tensors != _byName.Count)
            throw new CheckpointException(path, null, $"{TensorCount} is {tensors}, but the {count} parts hold {_byName.Count} tensors");
    }

    private void Add(GgufFile file)
    {
        _files.Add(file);
        foreach (var tensor in file.Tensors)
        {
            if (!_byName.TryAdd(tensor.Name, (file, tensor)))
                throw new CheckpointException(file.Path, tensor.Name, $"tensor {GgufHeader.Quoted(tensor.Name)} stands in two parts of the model");
        }
    }

    private static string Ending(int index, int count) => string.Create(CultureInfo.InvariantCulture, $"-{index + 1:00000}-of-{count:00000}.gguf");
}
