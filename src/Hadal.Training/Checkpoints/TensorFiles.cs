using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Training.Checkpoints;

/// <summary>FP32 tensors of a checkpoint that lie in one file, <c>NAME.safetensors</c>, or in one of each rank that wrote it, <c>NAME-00000.safetensors</c> and so on.</summary>
internal sealed class TensorFiles : IDisposable
{
    private const string Extension = ".safetensors";
    private readonly List<SafetensorsFile> _files = [];
    private readonly string _folder, _name;

    private TensorFiles(string folder, string name) => (_folder, _name) = (folder, name);

    /// <summary>Opens them.</summary>
    /// <exception cref="CheckpointException">There is none, or one is damaged.</exception>
    public static TensorFiles Open(string folder, string name)
    {
        var all = new TensorFiles(folder, name);
        try
        {
            string single = Path.Combine(folder, name + Extension);
            string[] paths = File.Exists(single) ? [single] : [.. Directory.EnumerateFiles(folder, $"{name}-*{Extension}").Order(StringComparer.Ordinal)];
            if (paths.Length == 0) throw new CheckpointException(single, null, "there is no such file");
            foreach (string path in paths) all._files.Add(SafetensorsFile.Open(path));
            return all;
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    /// <summary>The file of one of several ranks.</summary>
    public static string PathOf(string folder, string name, int rank) => Path.Combine(folder, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}-{rank:00000}{Extension}"));

    /// <summary>The only file.</summary>
    public static string PathOf(string folder, string name) => Path.Combine(folder, name + Extension);

    /// <summary>Reads a tensor.</summary>
    /// <exception cref="CheckpointException">No file has it with so many elements.</exception>
    public void Read(string name, float[] values)
    {
        foreach (var file in _files)
        {
            if (file.Find(name) is not { } entry) continue;
            if (entry.Shape.Count != values.Length || entry.Type != DType.F32) break;
            file.ReadSingle(name, values);
            return;
        }

        throw new CheckpointException(_files.Count == 1 ? _files[0].Path : Path.Combine(_folder, _name), name, $"there is no F32 tensor {name} with {values.Length} elements");
    }

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
    }
}
