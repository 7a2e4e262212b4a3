using System.Runtime.InteropServices;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Golden.Tests.Inference;

/// <summary>A folder of reference data: a checkpoint and what the published code computes with it.</summary>
public sealed class GoldenFolder : IDisposable
{
    private readonly SafetensorsFile _file;

    public GoldenFolder(string name)
    {
        Path = Find(name);
        _file = SafetensorsFile.Open(System.IO.Path.Combine(Path, "golden.safetensors"));
    }

    public string Path { get; }

    public static string Find(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Hadal.slnx"))) return System.IO.Path.Combine(folder.FullName, "tests", "golden", name);
        }

        throw new InvalidOperationException("The tests do not run inside the repository.");
    }

    public bool Has(string tensor) => _file.Find(tensor) is not null;

    public Shape Shape(string tensor) => _file.Find(tensor)!.Shape;

    public float[] Floats(string tensor)
    {
        var values = new float[Shape(tensor).Count];
        _file.ReadSingle(tensor, values);
        return values;
    }

    public int[] Integers(string tensor)
    {
        var found = _file.Find(tensor)!;
        var bytes = _file.Bytes(tensor, 0, (int)(found.Shape.Count * found.Type.SizeOf()));
        return found.Type == DType.I64
            ? [.. MemoryMarshal.Cast<byte, long>(bytes).ToArray().Select(v => (int)v)]
            : MemoryMarshal.Cast<byte, int>(bytes).ToArray();
    }

    public void Dispose() => _file.Dispose();
}
