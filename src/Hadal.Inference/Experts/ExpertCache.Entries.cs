using Hadal.Numerics;

namespace Hadal.Inference.Experts;

/// <content>Who is in memory, and who makes room.</content>
internal sealed partial class ExpertCache
{
    private void LetGo(Layer layer, int expert)
    {
        ref var entry = ref layer.Entries[expert];
        if (entry.Claim == Claim.None) return;
        if (entry.IsForeseen) _trust -= TrustStep * _trust;
        (entry.Claim, entry.IsForeseen) = (Claim.None, false);
        if (entry.State == State.Queued) entry.State = entry.HasRoom ? State.Idle : State.Absent;
        else if (_policy == ExpertPolicy.Mapped && entry.State == State.Present) (entry.State, entry.HasRoom, entry.Score) = (State.Idle, true, -1);
    }

    private void Drop(Layer layer, int expert)
    {
        _backend.Release(layer.GateUp, expert);
        _backend.Release(layer.Down, expert);
        Absent(layer, expert);
        _used -= layer.Bytes;
    }

    private void Absent(Layer layer, int expert)
    {
        ref var entry = ref layer.Entries[expert];
        (entry.State, entry.IsForeseen, entry.IsFresh, entry.HasRoom) = (State.Absent, false, false, false);
        _resident--;
    }

    // The expert in memory with the least counted load that is not claimed (or only foreseen, if that may go too); in weights of a kind, if one is given.
    private (Layer? Layer, int Expert) Coldest(Layer? kind, bool foreseen)
    {
        (Layer? Layer, int Expert) coldest = default;
        var (least, claim) = (double.PositiveInfinity, Claim.Needed);
        foreach (var layer in _layers)
        {
            if (layer is null || (kind is not null && !kind.IsLike(layer))) continue;
            for (int e = 0; e < layer.Entries.Length; e++)
            {
                ref readonly var entry = ref layer.Entries[e];
                if (entry.State is not (State.Present or State.Idle) || entry.Claim == Claim.Needed || (entry.Claim == Claim.Foreseen && !foreseen)) continue;
                if (entry.Claim > claim || (entry.Claim == claim && entry.Score >= least)) continue;
                (least, claim, coldest) = (entry.Score, entry.Claim, (layer, e));
            }
        }

        return coldest;
    }

    private static void SortByLoad(Span<int> experts, ReadOnlySpan<int> load)
    {
        // Few and mostly in order; a sort with a comparer would have to capture the loads.
        for (int i = 1; i < experts.Length; i++)
        {
            int expert = experts[i], j = i;
            for (; j > 0 && load[experts[j - 1]] < load[expert]; j--) experts[j] = experts[j - 1];
            experts[j] = expert;
        }
    }

    private void Rescale()
    {
        foreach (var layer in _layers)
        {
            for (int e = 0; layer is not null && e < layer.Entries.Length; e++) layer.Entries[e].Score /= _weight;
        }

        _weight = 1;
    }

    private enum State : byte
    {
        Absent,
        Queued,
        Reading,

        // On a stage.
        Read,
        Present,

        // Of no use any more, but its memory is there (mapped files only).
        Idle,
    }

    // In the order in which experts may make room.
    private enum Claim : byte
    {
        None,
        Foreseen,
        Needed,
    }

    private struct Entry
    {
        public double Score;
        public State State;
        public Claim Claim;

        /// <summary>Read because it was foreseen, and not used yet.</summary>
        public bool IsForeseen;

        /// <summary>Idle, or queued after it was idle.</summary>
        public bool HasRoom;

        /// <summary>Not used since it was read.</summary>
        public bool IsFresh;
    }

    /// <summary>A stage and the expert that it is about.</summary>
    private sealed class Slot(ExpertStage stage)
    {
        public ExpertStage Stage => stage;

        public Layer? Layer { get; set; }

        public int Expert { get; set; }

        public ref Entry Entry => ref Layer!.Entries[Expert];
    }

    private sealed class Layer(int index, PackedWeights gateUp, PackedWeights down, bool isStaged)
    {
        public int Index => index;

        /// <summary>Whether experts are read into stages and arranged by the team, or arranged by their readers from the mapped files.</summary>
        public bool IsStaged => isStaged;

        public PackedWeights GateUp => gateUp;

        public PackedWeights Down => down;

        public Entry[] Entries { get; } = new Entry[gateUp.Experts];

        /// <summary>Bytes of an expert.</summary>
        public long Bytes { get; } = gateUp.MatrixBytes + down.MatrixBytes;

        public bool IsLike(Layer other) => IsLike(gateUp, other.GateUp) && IsLike(down, other.Down);

        private static bool IsLike(PackedWeights a, PackedWeights b) => a.Format == b.Format && a.OutFeatures == b.OutFeatures && a.InFeatures == b.InFeatures;
    }
}
