using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Hadal.Testing;

/// <summary>Reference data of the repository. Compiled into every test project; depends on nothing under test.</summary>
internal static class GoldenData
{
    private static readonly Lazy<string> _root = new(FindRoot);

    /// <summary>The root of the repository: the folder with <c>Hadal.slnx</c> above the test binaries.</summary>
    public static string Root => _root.Value;

    /// <summary>A file or folder under <c>tests/golden</c>.</summary>
    public static string Folder(params string[] parts) => Path.Combine([Root, "tests", "golden", .. parts]);

    /// <summary>A JSON file under <c>tests/golden</c>.</summary>
    public static JsonElement Json(params string[] parts)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Folder(parts)));
        return document.RootElement.Clone();
    }

    /// <summary>A safetensors file under <c>tests/golden</c>.</summary>
    public static GoldenTensors Tensors(params string[] parts) => new(Folder(parts));

    /// <summary>Numbers of a JSON array, nested arrays one after the other.</summary>
    public static double[] Numbers(this JsonElement array) =>
        array.ValueKind == JsonValueKind.Array ? [.. array.EnumerateArray().SelectMany(Numbers)] : [array.GetDouble()];

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Hadal.slnx"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException($"Hadal.slnx is in no folder above {AppContext.BaseDirectory}.");
    }
}

/// <summary>A well-formed safetensors file, read whole.</summary>
internal sealed class GoldenTensors
{
    private readonly byte[] _file;
    private readonly int _start;
    private readonly Dictionary<string, JsonElement> _header = [];

    public GoldenTensors(string path)
    {
        _file = File.ReadAllBytes(path);
        _start = 8 + checked((int)BinaryPrimitives.ReadInt64LittleEndian(_file));
        using var document = JsonDocument.Parse(_file.AsMemory(8, _start - 8));
        foreach (var entry in document.RootElement.EnumerateObject())
        {
            if (entry.Name != "__metadata__") _header.Add(entry.Name, entry.Value.Clone());
        }
    }

    public IReadOnlyCollection<string> Names => _header.Keys;

    public bool Has(string name) => _header.ContainsKey(name);

    public string Type(string name) => _header[name].GetProperty("dtype").GetString()!;

    public long[] Shape(string name) => [.. _header[name].GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())];

    public ReadOnlySpan<byte> Bytes(string name)
    {
        var ends = _header[name].GetProperty("data_offsets");
        int begin = ends[0].GetInt32(), end = ends[1].GetInt32();
        return _file.AsSpan(_start + begin, end - begin);
    }

    /// <summary>A tensor's bytes as elements of a type that the caller knows.</summary>
    public ReadOnlySpan<T> Read<T>(string name) where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes(name));

    /// <summary>Elements of an F32 tensor.</summary>
    public float[] F32(string name) => Elements<float>(name, "F32");

    /// <summary>Elements of an F64 tensor.</summary>
    public double[] F64(string name) => Elements<double>(name, "F64");

    /// <summary>Elements of an I32 tensor.</summary>
    public int[] I32(string name) => Elements<int>(name, "I32");

    /// <summary>Elements of an I64 tensor.</summary>
    public long[] I64(string name) => Elements<long>(name, "I64");

    private T[] Elements<T>(string name, string type) where T : unmanaged => Type(name) == type
        ? Read<T>(name).ToArray()
        : throw new InvalidOperationException($"{name} is {Type(name)}, not {type}.");
}
