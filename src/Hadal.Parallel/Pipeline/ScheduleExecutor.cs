using System.Diagnostics;
using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Schedules;
using Hadal.Training.Batches;
using Hadal.Training.Model;

namespace Hadal.Parallel.Pipeline;

/// <summary>Executes a schedule on the real layers of one rank: any kind, one walk over its steps.</summary>
/// <remarks>
/// Before an operation the messages of its step are begun together and awaited. An overlapped operation advances the backward of one chunk and the forward of another in turn, so that the rows
/// of the one travel to and from experts while the other computes (report section 3.2.1).
/// </remarks>
internal sealed class ScheduleExecutor : IDisposable
{
    private readonly IBackend _backend;
    private readonly ModelStage[] _stages;
    private readonly ICollective _pipeline;
    private readonly int _width;
    private readonly Arena _ahead, _back, _backToo;
    private readonly ChunkStates _chunks;
    private readonly ForwardPass[] _forwards;
    private readonly BackwardPass[] _backwards;
    private readonly Queue<ChunkId> _weights = [];
    private readonly List<ITransfer> _transfers = [];
    private IStepObserver? _observer;

    /// <param name="backend">Where to compute.</param>
    /// <param name="stages">The stage of each direction.</param>
    /// <param name="pipeline">The ranks of the pipeline in its order.</param>
    /// <param name="width">D.</param>
    public ScheduleExecutor(IBackend backend, ModelStage[] stages, ICollective pipeline, int width)
    {
        (_backend, _stages, _pipeline, _width) = (backend, stages, pipeline, width);
        (_ahead, _back, _backToo) = (new Arena(backend), new Arena(backend), new Arena(backend));
        _chunks = new ChunkStates(stages, _ahead);
        _forwards = Array.ConvertAll(stages, s => new ForwardPass(s));
        _backwards = Array.ConvertAll(stages, s => new BackwardPass(s));
    }

    /// <summary>Told what happens; null for nobody.</summary>
    public IStepObserver? Observer
    {
        get => _observer;
        set
        {
            _observer = value;
            foreach (var pass in _forwards) pass.Observer = value;
            foreach (var pass in _backwards) pass.Observer = value;
        }
    }

    /// <summary>Takes the micro-batches of a step through forward and backward; adds to gradients and losses.</summary>
    /// <param name="schedule">For as many ranks as the pipeline has.</param>
    /// <param name="fill">Fills a micro-batch of this rank by its number, from 0.</param>
    /// <param name="batch">Memory for one.</param>
    /// <param name="scales">Of the global batch.</param>
    /// <param name="losses">Receives those that this rank computes.</param>
    public void Run(Schedule schedule, Action<int, PackedBatch> fill, PackedBatch batch, LossScales scales, BatchLosses losses)
    {
        var rank = schedule.Ranks[_pipeline.Rank];
        var step = new Step(schedule, fill, batch, scales, losses);
        try
        {
            foreach (var next in rank.Steps)
            {
                Move(step, next.MessagesBefore);
                long started = Stopwatch.GetTimestamp();
                Compute(step, next.Operation);
                _observer?.Computed(next.Operation, started, Stopwatch.GetTimestamp());
            }

            Move(step, rank.MessagesAfter);
        }
        finally
        {
            _chunks.Clear();
            _weights.Clear();
            foreach (var arena in new[] { _ahead, _back, _backToo }) arena.Reset();
        }
    }

    /// <summary>Takes micro-batches through the forward alone, one after the other; adds to losses, leaves gradients and loads of training as they are.</summary>
    /// <param name="layout">Which stage lies where. Everything goes in direction 0, and under DualPipeV back in direction 1.</param>
    /// <param name="count">How many.</param>
    /// <param name="fill">Fills one by its number, from 0.</param>
    /// <param name="batch">Memory for one.</param>
    /// <param name="lossesOf">The losses that a micro-batch counts in.</param>
    /// <param name="seen">Told when this rank's stages have seen a micro-batch.</param>
    public void Evaluate(StageLayout layout, int count, Action<int, PackedBatch> fill, PackedBatch batch, Func<int, BatchLosses> lossesOf, Action<int>? seen)
    {
        var scales = new LossScales(1, 1, 0, 0);
        for (int m = 0; m < count; m++)
        {
            fill(m, batch);
            for (int direction = 0; direction < (layout.Kind == ScheduleKind.DualPipeV ? 2 : 1); direction++)
            {
                var chunk = new ChunkId(direction, m);
                var place = new SchedulePlace(_pipeline.Rank, direction);
                var state = _chunks.Take(chunk, passesGradient: true);
                state.Prepare(batch, 0, isTraining: false, _width);
                if (layout.Before(place) is { } before)
                {
                    if (before.Rank == _pipeline.Rank) _backend.Copy(_chunks[new ChunkId(before.Direction, m)].Stream, state.Stream);
                    else _pipeline.Receive(state.Stream, before.Rank).Wait();
                }

                _forwards[direction].Run(state, _ahead, scales, lossesOf(m));
                if (layout.After(place) is { } after && after.Rank != _pipeline.Rank) _pipeline.Send(state.Stream, after.Rank).Wait();
                if (direction == 1) _chunks.Release(new ChunkId(0, m));
            }

            _chunks.Clear();
            seen?.Invoke(m);
        }
    }

    public void Dispose()
    {
        _chunks.Dispose();
        foreach (var arena in new[] { _ahead, _back, _backToo }) arena.Dispose();
    }

    private void Move(Step step, IReadOnlyList<ScheduleMessage> messages)
    {
        if (messages.Count == 0) return;
        long started = Stopwatch.GetTimestamp();
        foreach (var message in messages)
        {
            var values = message.Kind switch
            {
                MessageKind.SendForward => _chunks[message.Chunk].Stream,
                MessageKind.SendBackward => _chunks[message.Chunk].DStream,
                MessageKind.ReceiveForward => Prepare(step, message.Chunk).Stream,
                _ => _chunks[message.Chunk].MakeDStream(),
            };
            _transfers.Add(message.IsSend ? _pipeline.Send(values, message.Peer) : _pipeline.Receive(values, message.Peer));
        }

        foreach (var transfer in _transfers) transfer.Wait();
        _transfers.Clear();
        foreach (var message in messages)
        {
            if (message.Kind == MessageKind.SendBackward) _chunks.Passed(message.Chunk);
        }

        _observer?.Waited(messages, started, Stopwatch.GetTimestamp());
    }

    private void Compute(Step step, ScheduleOperation operation)
    {
        switch (operation.Kind)
        {
            case OperationKind.Forward:
                _forwards[operation.Chunk.Direction].Run(StateForForward(step, operation.Chunk), _ahead, step.Scales, step.Losses);
                break;
            case OperationKind.Backward:
                _backwards[operation.Chunk.Direction].Run(StateForBackward(step, operation.Chunk), _back, defersWeights: false);
                _chunks.Computed(operation.Chunk);
                break;
            case OperationKind.BackwardForInputs:
                _backwards[operation.Chunk.Direction].Run(StateForBackward(step, operation.Chunk), _back, defersWeights: true);
                _weights.Enqueue(operation.Chunk);
                break;
            case OperationKind.WeightGradient:
                var chunk = _weights.Dequeue();
                _backwards[chunk.Direction].Weights(_chunks[chunk], _back);
                _chunks.Computed(chunk);
                break;
            default:
                Overlap(step, operation.Chunk, operation.Other);
                break;
        }
    }

    private void Overlap(Step step, ChunkId ahead, ChunkId back)
    {
        var forward = _forwards[ahead.Direction];
        var backward = _backwards[back.Direction];
        forward.Begin(StateForForward(step, ahead), _ahead, step.Scales, step.Losses);
        backward.Begin(StateForBackward(step, back), _back, _backToo, defersWeights: false);
        for (bool isBack = true, isAhead = true; isBack || isAhead;)
        {
            isBack = isBack && backward.Advance();
            isAhead = isAhead && forward.Advance();
        }

        _chunks.Computed(back);
    }

    // What a message brought, or what the other stage of this rank left; the first stage begins with tokens.
    private StageState StateForForward(Step step, ChunkId chunk)
    {
        if (_chunks.Contains(chunk)) return _chunks[chunk];
        var state = Prepare(step, chunk);
        if (step.Schedule.Layout.Before(new SchedulePlace(_pipeline.Rank, chunk.Direction)) is { } before)
            _backend.Copy(_chunks[new ChunkId(before.Direction, chunk.MicroBatch)].Stream, state.Stream);
        return state;
    }

    private StageState StateForBackward(Step step, ChunkId chunk)
    {
        var state = _chunks[chunk];
        if (step.Schedule.Layout.After(new SchedulePlace(_pipeline.Rank, chunk.Direction)) is not { } after || after.Rank != _pipeline.Rank) return state;
        var source = new ChunkId(after.Direction, chunk.MicroBatch);
        _backend.Copy(_chunks[source].DStream, state.MakeDStream());
        _chunks.Passed(source);
        return state;
    }

    private StageState Prepare(Step step, ChunkId chunk)
    {
        step.Fill(step.Schedule.MicroBatchOf(chunk), step.Batch);
        var state = _chunks.Take(chunk, step.Schedule.Layout.Before(new SchedulePlace(_pipeline.Rank, chunk.Direction)) is not null);
        state.Prepare(step.Batch, step.Scales.BalanceWeight / step.Scales.Sequences, isTraining: true, _width);
        return state;
    }

    private sealed record Step(Schedule Schedule, Action<int, PackedBatch> Fill, PackedBatch Batch, LossScales Scales, BatchLosses Losses);
}
