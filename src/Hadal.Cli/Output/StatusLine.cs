using System.Diagnostics;
using Hadal.Cli.CommandLine;

namespace Hadal.Cli.Output;

/// <summary>How far long work has come: one line on a screen that is written over, or now and then a line of its own elsewhere.</summary>
internal sealed class StatusLine(Streams streams) : IDisposable
{
    private static readonly TimeSpan _screenPause = TimeSpan.FromMilliseconds(100), _linePause = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private long _last = Stopwatch.GetTimestamp();
    private bool _shown;

    /// <summary>Shows a text if the last one is long enough ago.</summary>
    /// <param name="text">The text.</param>
    /// <param name="now">However long ago the last one is, on a screen.</param>
    public void Show(Func<string> text, bool now = false)
    {
        lock (_gate)
        {
            if (!(now && streams.ErrorIsTerminal) && Stopwatch.GetElapsedTime(_last) < (streams.ErrorIsTerminal ? _screenPause : _linePause)) return;
            _last = Stopwatch.GetTimestamp();
            if (streams.ErrorIsTerminal)
            {
                // Cut so that it never wraps, which could not be written over.
                string line = text();
                int width = Math.Max(20, Screen.Width) - 1;
                streams.Error.Write($"\r{(line.Length > width ? line[..width] : line)}\e[K");
                streams.Error.Flush();
                _shown = true;
            }
            else
            {
                streams.Error.WriteLine(text());
            }
        }
    }

    /// <summary>Takes the line away.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_shown) return;
            streams.Error.Write("\r\e[K");
            streams.Error.Flush();
            _shown = false;
        }
    }
}
