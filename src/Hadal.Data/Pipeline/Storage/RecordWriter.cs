using System.Runtime.InteropServices;

namespace Hadal.Data.Pipeline.Storage;

/// <summary>Writes records one after another.</summary>
internal sealed class RecordWriter<T>(string path) : IDisposable where T : unmanaged
{
    private readonly FileStream _file = new(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);

    public void Add(T record) => _file.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in record)));

    public void Dispose() => _file.Dispose();
}
