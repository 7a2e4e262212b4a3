using System.Diagnostics;

namespace Hadal.Inference.Experts;

/// <content>What has come on stages is arranged by the thread that takes experts, with its team.</content>
internal sealed partial class ExpertCache
{
    /// <summary>Reads experts until the memory left to them is full: those with the largest counted load first; without loads as many of each layer, in order.</summary>
    /// <param name="progress">Told the experts and bytes that are there so far; or null.</param>
    /// <param name="cancellation">Stops between two experts; those that are there stay.</param>
    /// <exception cref="Hadal.Model.Checkpoints.CheckpointException">An expert could not be read.</exception>
    public void Warm(Action<int, long>? progress, CancellationToken cancellation)
    {
        if (_policy != ExpertPolicy.Cached) return;
        StartReaders();
        var wanted = new List<(Layer Layer, int Expert)>();
        var before = (_bytesRead, _bytesUsed, _arrangeTicks);
        lock (_gate)
        {
            var absent = _layers.OfType<Layer>().SelectMany(l => Enumerable.Range(0, l.Entries.Length).Where(e => l.Entries[e].State == State.Absent).Select(e => (Layer: l, Expert: e)));
            long bytes = _used;
            foreach (var next in absent.OrderByDescending(a => a.Layer.Entries[a.Expert].Score).ThenBy(a => a.Expert).ThenBy(a => a.Layer.Index))
            {
                if ((bytes += next.Layer.Bytes) > Capacity) break;
                wanted.Add(next);
                (next.Layer.Entries[next.Expert].State, next.Layer.Entries[next.Expert].Claim) = (State.Queued, Claim.Needed);
                _needed.Enqueue(next);
            }

            _failure = null;
            Monitor.PulseAll(_gate);
        }

        try
        {
            for (int present = 0; present < wanted.Count;)
            {
                cancellation.ThrowIfCancellationRequested();
                ArrangeNeeded();
                lock (_gate)
                {
                    var failure = _failure;
                    _failure = null;
                    failure?.Throw();
                    var there = wanted.Where(w => w.Layer.Entries[w.Expert].State == State.Present);
                    present = there.Count();
                    progress?.Invoke(present, there.Sum(w => w.Layer.Bytes));
                    // Now and then the cancellation wants to be seen.
                    if (present < wanted.Count && !_arrived.Exists(a => a.Entry.Claim == Claim.Needed)) Monitor.Wait(_gate, 100);
                }
            }
        }
        finally
        {
            lock (_gate)
            {
                foreach (var (layer, expert) in wanted)
                {
                    LetGo(layer, expert);
                    layer.Entries[expert].IsFresh = layer.Entries[expert].State == State.Present;
                }

                // What was read before the first step is not what steps had to read.
                (_bytesRead, _bytesUsed, _arrangeTicks) = before;
                Monitor.PulseAll(_gate);
            }
        }
    }

    // Arranges everything on stages that the present layer needs and that room can be made for.
    private void ArrangeNeeded()
    {
        while (true)
        {
            Slot slot;
            (Layer? Layer, int Expert) room;
            lock (_gate)
            {
                if (!TryTakeArrived(Claim.Needed, out slot, out room)) return;
            }

            Arrange(slot, room);
        }
    }

    // What is to be arranged next, with room for it: what is needed before what is foreseen, and that before what was foreseen wrongly but is warmer than what makes room.
    private bool TryTakeArrived(Claim least, out Slot slot, out (Layer? Layer, int Expert) room)
    {
        for (int rank = (int)Claim.Needed; rank >= (int)least && _arrived.Count > 0; rank--)
        {
            var claim = (Claim)rank;
            for (int i = 0; i < _arrived.Count; i++)
            {
                slot = _arrived[i];
                if (slot.Entry.Claim != claim || (claim == Claim.None && !IsWarm(slot)) || !TryMakeRoom(slot.Layer!, claim, out room)) continue;
                _arrived.RemoveAt(i);
                return true;
            }
        }

        (slot, room) = (null!, default);
        return false;
    }

    private bool IsWarm(Slot slot) => Coldest(null, foreseen: false) is ({ } layer, var expert) && layer.Entries[expert].Score < slot.Entry.Score;

    private void Arrange(Slot slot, (Layer? Layer, int Expert) room)
    {
        var (layer, expert, start) = (slot.Layer!, slot.Expert, Stopwatch.GetTimestamp());
        try
        {
            bool isNew = MoveIn(layer, expert, room);
            _filling.Fill(slot.Stage, layer.Index, expert, layer.GateUp, layer.Down);
            if (isNew) Lock(layer, expert);
        }
        catch
        {
            lock (_gate)
            {
                GiveUp(layer, expert);
                Free(slot);
            }

            throw;
        }

        lock (_gate)
        {
            layer.Entries[expert].State = State.Present;
            _resident++;
            _arrangeTicks += Stopwatch.GetTimestamp() - start;
            Free(slot);
            Monitor.PulseAll(_gate);
        }
    }
}
