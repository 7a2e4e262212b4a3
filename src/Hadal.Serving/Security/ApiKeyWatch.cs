using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Hadal.Serving.Security;

/// <summary>The keys of a file, which is read at the start and again whenever it has changed. A file that is damaged then, or gone, leaves the keys as they were.</summary>
/// <remarks>Not thread-safe. What cannot be read twice, such as a pipe, is read at the start only.</remarks>
internal sealed partial class ApiKeyWatch
{
    private readonly string _path;
    private readonly ILogger _log;
    private readonly TimeSpan _interval;
    private readonly bool _changes;
    private (DateTime Written, long Length)? _seen;
    private long _looked = Stopwatch.GetTimestamp();

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="log">Told about keys in clear text, and what becomes of a changed file.</param>
    /// <param name="interval">How often it is looked at, at most.</param>
    /// <exception cref="ApiKeyException">The file is missing, empty, or has a line that is wrong.</exception>
    public ApiKeyWatch(string path, ILogger log, TimeSpan interval)
    {
        (_path, _log, _interval) = (path, log, interval);
        (_seen, _changes) = Look();
        Keys = Read();
    }

    /// <summary>The keys in force.</summary>
    public IReadOnlyList<ApiKey> Keys { get; private set; }

    /// <summary>Looks at the file, if that was not done just now.</summary>
    /// <returns>Whether there are other keys than before.</returns>
    public bool Refresh()
    {
        if (!_changes || Stopwatch.GetElapsedTime(_looked) < _interval) return false;
        _looked = Stopwatch.GetTimestamp();

        // A file that changes once more while it is read looks different the next time.
        var seen = Look().Seen;
        if (seen == _seen) return false;
        _seen = seen;
        try
        {
            Keys = Read();
        }
        catch (ApiKeyException e)
        {
            LogKept(e.Message.TrimEnd('.'));
            return false;
        }

        LogRead(_path, Keys.Count);
        return true;
    }

    private IReadOnlyList<ApiKey> Read()
    {
        var file = ApiKeyFile.Load(_path);
        if (file.HasClearKeys) LogClear(_path);
        return file.Keys;
    }

    // Of the file itself, also where the path is a link.
    private ((DateTime, long)? Seen, bool Changes) Look()
    {
        try
        {
            using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            return file.CanSeek ? ((File.GetLastWriteTimeUtc(file.SafeFileHandle), file.Length), true) : (null, false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, true);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{Path} has changed and was read again: {Count} keys are in force")]
    private partial void LogRead(string path, int count);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Reason}; the keys from before stay in force")]
    private partial void LogKept(string reason);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "{Path} has keys in clear text; hadal key new writes hashes instead")]
    private partial void LogClear(string path);
}
