using System.Diagnostics;

namespace Hadal.Training.Model;

/// <summary>Times parts that follow each other; without an observer it does nothing.</summary>
internal struct PartClock(IPassObserver? observer)
{
    private long _started = observer is null ? 0 : Stopwatch.GetTimestamp();

    /// <summary>A part has ended, and the next begins.</summary>
    public void End(PassPart part, int layer)
    {
        if (observer is null) return;
        long now = Stopwatch.GetTimestamp();
        observer.Computed(part, layer, _started, now);
        _started = now;
    }
}
