using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;

namespace Hadal.Inference.Experts;

/// <content>The reader threads and what is counted.</content>
internal sealed partial class ExpertCache
{
    private long _hits, _misses, _foreseenRead, _foreseenUsed, _bytesRead, _bytesUsed, _waitTicks, _arrangeTicks, _stepTicks, _stepStart;

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
                    ArrangeSeconds = (double)_arrangeTicks / Stopwatch.Frequency,
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
            if (_budget.Stages > 0)
            {
                // In one piece, which large pages serve: a disk's driver handles a read in as many parts as there are pages.
                _stages = _backend.CreateStorage(Math.Max(_budget.Stages * _budget.StageBytes, 1 << 20));
                for (int i = 0; i < _budget.Stages; i++) _free.Push(new Slot(new ExpertStage(_checkpoint, _files, _stages, i * _budget.StageBytes, _budget.StageBytes)));
            }

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
        if (_policy == ExpertPolicy.Mapped) BackgroundPriority.Take();
        using var filling = new ExpertFilling(_checkpoint, _backend);
        while (TryNext(out var layer, out int expert, out var slot, out var room))
        {
            try
            {
                if (slot is not null)
                {
                    Arrive(slot, slot.Stage.Read(layer.Index, expert));
                    continue;
                }

                bool isNew = MoveIn(layer, expert, room);
                long bytes = filling.FillMapped(layer.Index, expert, layer.GateUp, layer.Down);
                if (isNew) Lock(layer, expert);
                Finish(layer, expert, bytes);
            }
            catch (Exception e)
            {
                Fail(layer, expert, slot, e);
            }
        }
    }

    // The next expert to read, marked as such, with a stage for it; or, where its reader arranges it, with room: the place of another, or none where there is room beside
    // those in memory.
    private bool TryNext(out Layer layer, out int expert, out Slot? slot, out (Layer? Layer, int Expert) room)
    {
        lock (_gate)
        {
            while (!_stopping)
            {
                if (TryNext(_needed, Claim.Needed, out layer, out expert, out slot, out room) || TryNext(_foreseen, Claim.Foreseen, out layer, out expert, out slot, out room)) return true;
                Monitor.Wait(_gate);
            }
        }

        (layer, expert, slot, room) = (null!, 0, null, default);
        return false;
    }

    private bool TryNext(Queue<(Layer Layer, int Expert)> queue, Claim claim, out Layer layer, out int expert, out Slot? slot, out (Layer? Layer, int Expert) room)
    {
        (slot, room) = (null, default);
        while (queue.TryPeek(out var next))
        {
            (layer, expert) = next;
            ref var entry = ref layer.Entries[expert];
            // Who was let go, promoted or read meanwhile stands in the queue for nothing.
            if (entry.State == State.Queued && entry.Claim == claim)
            {
                // What a layer needs waits until it has computed others; what is foreseen is not worth waiting for.
                if (claim == Claim.Foreseen && _used + layer.Bytes > Capacity && Coldest(null, foreseen: false).Layer is null)
                {
                    (entry.State, entry.Claim) = (State.Absent, Claim.None);
                    queue.Dequeue();
                    continue;
                }

                if (layer.IsStaged)
                {
                    if (!TryTakeStage(claim, out slot)) return false;
                    (slot.Layer, slot.Expert) = (layer, expert);
                }
                else if (entry.HasRoom)
                {
                    entry.HasRoom = false;
                    _resident--;
                }
                else if (!TryMakeRoom(layer, claim, out room))
                {
                    return false;
                }

                queue.Dequeue();
                entry.State = State.Reading;
                entry.IsForeseen = claim == Claim.Foreseen;
                if (entry.IsForeseen) _foreseenRead++;
                return true;
            }

            queue.Dequeue();
        }

        (layer, expert) = (null!, 0);
        return false;
    }

    // A free stage, or one whose expert turned out not to be needed, or, for one that is needed, one that is only foreseen: else stages full of what is foreseen, for which no
    // room can be made, would keep out what the layer waits for.
    private bool TryTakeStage(Claim claim, [NotNullWhen(true)] out Slot? slot)
    {
        if (_free.TryPop(out slot)) return true;
        Slot? least = null;
        foreach (var arrived in _arrived)
        {
            if (arrived.Entry.Claim < (least is null ? claim : least.Entry.Claim)) least = arrived;
        }

        if (least is null) return false;
        Forget(least);
        return _free.TryPop(out slot);
    }

    private void Arrive(Slot slot, long bytes)
    {
        lock (_gate)
        {
            ref var entry = ref slot.Entry;
            (entry.State, entry.IsFresh) = (State.Read, true);
            _bytesRead += bytes;
            if (entry.Claim == Claim.Needed) CountUsed(ref entry, slot.Layer!);
            _arrived.Add(slot);
            Monitor.PulseAll(_gate);
        }
    }

    // Lets the expert on a stage go.
    private void Forget(Slot slot)
    {
        ref var entry = ref slot.Entry;
        (entry.State, entry.Claim, entry.IsForeseen, entry.IsFresh) = (State.Absent, Claim.None, false, false);
        _arrived.Remove(slot);
        Free(slot);
    }

    private void Free(Slot slot)
    {
        slot.Layer = null;
        _free.Push(slot);
    }

    // Takes over the memory of the expert that made room; true if there is none yet.
    private bool MoveIn(Layer layer, int expert, (Layer? Layer, int Expert) room)
    {
        if (room.Layer is not { } from) return true;
        _backend.Move(from.GateUp, room.Expert, layer.GateUp, expert);
        _backend.Move(from.Down, room.Expert, layer.Down, expert);
        return false;
    }

    private void Lock(Layer layer, int expert)
    {
        if (!_lock) return;
        _backend.Lock(layer.GateUp, expert);
        _backend.Lock(layer.Down, expert);
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

    private void Fail(Layer layer, int expert, Slot? slot, Exception exception)
    {
        lock (_gate)
        {
            // A failure to read ahead is told when the expert is needed and cannot be read either.
            if (layer.Entries[expert].Claim == Claim.Needed) _failure = ExceptionDispatchInfo.Capture(exception);
            if (slot is null) GiveUp(layer, expert);
            else
            {
                (slot.Entry.State, slot.Entry.IsForeseen) = (State.Absent, false);
                Free(slot);
            }

            Monitor.PulseAll(_gate);
        }
    }

    private void GiveUp(Layer layer, int expert)
    {
        _backend.Release(layer.GateUp, expert);
        _backend.Release(layer.Down, expert);
        _used -= layer.Bytes;
        ref var entry = ref layer.Entries[expert];
        (entry.State, entry.IsForeseen) = (State.Absent, false);
    }
}
