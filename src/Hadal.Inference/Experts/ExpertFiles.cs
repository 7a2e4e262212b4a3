using System.Collections.Concurrent;
using Hadal.Numerics;

namespace Hadal.Inference.Experts;

/// <summary>The files of a checkpoint, opened for large reads when they are first needed.</summary>
internal sealed class ExpertFiles : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<StreamedFile>> _files = new();

    /// <summary>A file.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public StreamedFile Open(string path) => _files.GetOrAdd(path, static p => new Lazy<StreamedFile>(() => StreamedFile.Open(p))).Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            if (file.IsValueCreated) file.Value.Dispose();
        }
    }
}
