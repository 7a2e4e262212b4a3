using Microsoft.Win32.SafeHandles;

namespace Hadal.Data.Pipeline.Storage;

/// <summary>Files that are read here and there, the most recently used of them kept open.</summary>
internal sealed class OpenFiles : IDisposable
{
    private const int Most = 192;
    private readonly Dictionary<string, (SafeFileHandle Handle, long Used)> _files = [];
    private long _time;

    public SafeFileHandle this[string path]
    {
        get
        {
            if (_files.TryGetValue(path, out var file))
            {
                _files[path] = (file.Handle, ++_time);
                return file.Handle;
            }

            if (_files.Count == Most)
            {
                string oldest = _files.MinBy(f => f.Value.Used).Key;
                _files[oldest].Handle.Dispose();
                _files.Remove(oldest);
            }

            var handle = File.OpenHandle(path);
            _files.Add(path, (handle, ++_time));
            return handle;
        }
    }

    /// <summary>Fills a buffer from a place of a file.</summary>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public void Read(string path, long at, Span<byte> bytes) => FileBytes.Read(this[path], bytes, at);

    public void Dispose()
    {
        foreach (var (handle, _) in _files.Values) handle.Dispose();
    }
}
