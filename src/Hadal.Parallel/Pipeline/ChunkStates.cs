using Hadal.Numerics;
using Hadal.Parallel.Schedules;
using Hadal.Training.Model;

namespace Hadal.Parallel.Pipeline;

/// <summary>The memory of the chunks that a rank has in flight: as much as the schedule needs at most, used again from step to step.</summary>
internal sealed class ChunkStates(ModelStage[] stages, Arena scratch) : IDisposable
{
    private readonly Stack<StageState>[] _free = [.. stages.Select(_ => new Stack<StageState>())];
    private readonly List<StageState> _all = [];
    private readonly Dictionary<ChunkId, InFlight> _inFlight = [];

    public StageState this[ChunkId chunk] => _inFlight[chunk].State;

    public bool Contains(ChunkId chunk) => _inFlight.ContainsKey(chunk);

    /// <summary>Memory for a chunk that begins.</summary>
    /// <param name="chunk">Which.</param>
    /// <param name="passesGradient">Whether somebody takes the gradient for its input.</param>
    public StageState Take(ChunkId chunk, bool passesGradient)
    {
        if (!_free[chunk.Direction].TryPop(out var state))
        {
            state = stages[chunk.Direction].CreateState(scratch);
            _all.Add(state);
        }

        _inFlight.Add(chunk, new InFlight(state) { IsPassed = !passesGradient });
        return state;
    }

    /// <summary>All gradients of the chunk are computed.</summary>
    public void Computed(ChunkId chunk)
    {
        _inFlight[chunk].IsComputed = true;
        ReleaseIfEnded(chunk);
    }

    /// <summary>The gradient for its input is where it belongs.</summary>
    public void Passed(ChunkId chunk)
    {
        _inFlight[chunk].IsPassed = true;
        ReleaseIfEnded(chunk);
    }

    /// <summary>Gives a chunk back that has no backward.</summary>
    public void Release(ChunkId chunk)
    {
        if (_inFlight.Remove(chunk, out var ended)) _free[chunk.Direction].Push(ended.State);
    }

    /// <summary>Gives all of them back, after a step that could not be finished.</summary>
    public void Clear()
    {
        foreach (var chunk in _inFlight.Keys.ToArray()) Release(chunk);
    }

    public void Dispose()
    {
        foreach (var state in _all) state.Dispose();
    }

    private void ReleaseIfEnded(ChunkId chunk)
    {
        if (_inFlight[chunk] is { IsComputed: true, IsPassed: true }) Release(chunk);
    }

    private sealed class InFlight(StageState state)
    {
        public StageState State { get; } = state;

        public bool IsComputed { get; set; }

        public bool IsPassed { get; set; }
    }
}
