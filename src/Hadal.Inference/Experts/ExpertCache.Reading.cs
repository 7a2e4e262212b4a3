using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Hadal.Inference.Experts;

/// <content>The reader threads and what is counted.</content>
internal sealed partial class ExpertCache
{
    private long _hits, _misses, _foreseenRead, _foreseenUsed, _bytesRead, _bytesUsed, _waitTicks, _stepTicks, _stepStart;

    /// <summary>What was counted so far.</summary>
    public ExpertStatistics Statistics
    {
        get
        {
            lock (_gate)
            {
                return new ExpertStatistics
                {
                    Hits = _hits,
                    Misses = _misses,
                    Prefetched = _foreseenRead,
                    PrefetchedUsed = _foreseenUsed,
                    BytesRead = _bytesRead,
                    BytesUsed = _bytesUsed,
                    WaitSeconds = (double)_waitTicks / Stopwatch.Frequency,
                    StepSeconds = (double)_stepTicks / Stopwatch.Frequency,
                    Resident = _resident,
                    Capacity = (int)Math.Min(Total(), Capacity / _budget.ExpertBytes),
                    Total = Total(),
                    ExpertBytes = _budget.ExpertBytes,
                };
            }

            int Total() => _layers.Sum(l => l?.Entries.Length ?? 0);
        }
    }

    private void StartReaders()
    {
        if (Volatile.Read(ref _started)) return;
        lock (_start)
        {
            if (_started) return;
            for (int i = 0; i < _readers.Length; i++)
            {
                _readers[i] = new Thread(Serve) { IsBackground = true, Name = $"hadal experts {i}" };
                _readers[i].Start();
            }

            Volatile.Write(ref _started, true);
        }
    }

    private void Serve()
    {
        using var reader = new ExpertReader(_checkpoint, _backend, _files, _budget.StageBytes);
        while (TryNext(out var layer, out int expert, out var room))
        {
            try
            {
                bool isNew = room.Layer is null;
                if (!isNew)
                {
                    _backend.Move(room.Layer!.GateUp, room.Expert, layer.GateUp, expert);
                    _backend.Move(room.Layer.Down, room.Expert, layer.Down, expert);
                }

                long bytes = reader.Read(layer.Index, expert, layer.GateUp, layer.Down);
                if (isNew && _lock)
                {
                    _backend.Lock(layer.GateUp, expert);
                    _backend.Lock(layer.Down, expert);
                }

                Finish(layer, expert, bytes);
            }
            catch (Exception e)
            {
                Fail(layer, expert, e);
            }
        }
    }

    // The next expert to read, marked as such, with room for it: the place of another, or none where there is room beside those in memory.
    private bool TryNext(out Layer layer, out int expert, out (Layer? Layer, int Expert) room)
    {
        lock (_gate)
        {
            while (!_stopping)
            {
                if (TryNext(_needed, Claim.Needed, out layer, out expert, out room) || TryNext(_foreseen, Claim.Foreseen, out layer, out expert, out room)) return true;
                Monitor.Wait(_gate);
            }
        }

        (layer, expert, room) = (null!, 0, default);
        return false;
    }

    private bool TryNext(Queue<(Layer Layer, int Expert)> queue, Claim claim, out Layer layer, out int expert, out (Layer? Layer, int Expert) room)
    {
        while (queue.TryPeek(out var next))
        {
            (layer, expert) = next;
            ref var entry = ref layer.Entries[expert];
            // Who was let go, promoted or read meanwhile stands in the queue for nothing.
            if (entry.State == State.Queued && entry.Claim == claim)
            {
                room = default;
                if (entry.HasRoom)
                {
                    entry.HasRoom = false;
                    _resident--;
                }
                else if (!TryMakeRoom(layer, claim, out room))
                {
                    // What a layer needs waits until it has computed others; what is foreseen is not worth waiting for.
                    if (claim == Claim.Needed) return false;
                    (entry.State, entry.Claim) = (State.Absent, Claim.None);
                    queue.Dequeue();
                    continue;
                }

                queue.Dequeue();
                entry.State = State.Reading;
                entry.IsForeseen = claim == Claim.Foreseen;
                if (entry.IsForeseen) _foreseenRead++;
                return true;
            }

            queue.Dequeue();
        }

        (layer, expert, room) = (null!, 0, default);
        return false;
    }

    private bool TryMakeRoom(Layer layer, Claim claim, out (Layer? Layer, int Expert) room)
    {
        room = default;
        while (_used + layer.Bytes > Capacity)
        {
            bool foreseen = claim == Claim.Needed;
            if (Coldest(layer, foreseen) is ({ } like, var expert) && _used <= Capacity)
            {
                // Its memory is taken over, so what is used stays the same.
                room = (like, expert);
                Absent(like, expert);
                return true;
            }

            if (Coldest(null, foreseen) is not ({ } other, var place)) return false;
            Drop(other, place);
        }

        _used += layer.Bytes;
        return true;
    }

    private void CountUsed(ref Entry entry, Layer layer)
    {
        if (!entry.IsFresh) return;
        entry.IsFresh = false;
        _bytesUsed += layer.Bytes;
    }

    private void Finish(Layer layer, int expert, long bytes)
    {
        lock (_gate)
        {
            ref var entry = ref layer.Entries[expert];
            (entry.State, entry.IsFresh) = (State.Present, true);
            _bytesRead += bytes;
            _resident++;
            if (entry.Claim == Claim.Needed) CountUsed(ref entry, layer);
            Monitor.PulseAll(_gate);
        }
    }

    private void Fail(Layer layer, int expert, Exception exception)
    {
        lock (_gate)
        {
            _backend.Release(layer.GateUp, expert);
            _backend.Release(layer.Down, expert);
            _used -= layer.Bytes;
            ref var entry = ref layer.Entries[expert];
            // A failure to read ahead is told when the expert is needed and cannot be read either.
            if (entry.Claim == Claim.Needed) _failure = ExceptionDispatchInfo.Capture(exception);
            (entry.State, entry.IsForeseen) = (State.Absent, false);
            Monitor.PulseAll(_gate);
        }
    }
}
