using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Hadal.Numerics.Tests.Formats;

/// <summary>Just enough of the safetensors format to read a golden file.</summary>
internal sealed class SafetensorsFile
{
    private readonly byte[] _bytes;
    private readonly JsonDocument _header;
    private readonly int _data;

    public SafetensorsFile(string pathInRepository)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Hadal.slnx"))) root = root.Parent!;
        _bytes = File.ReadAllBytes(Path.Combine(root.FullName, pathInRepository));
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(_bytes);
        _header = JsonDocument.Parse(_bytes.AsMemory(8, length));
        _data = 8 + length;
    }

    public ReadOnlySpan<T> Read<T>(string name) where T : unmanaged
    {
        var offsets = _header.RootElement.GetProperty(name).GetProperty("data_offsets");
        int start = offsets[0].GetInt32(), end = offsets[1].GetInt32();
        return MemoryMarshal.Cast<byte, T>(_bytes.AsSpan(_data + start, end - start));
    }
}
