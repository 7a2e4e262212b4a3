using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Experts;

/// <summary>Keeps as many routed experts in memory as a limit allows and has the others read in time.</summary>
/// <remarks>
/// <para>
/// Which experts stay follows from their counted load: a use by n rows adds n, and counts are halved every <see cref="HalfLife"/> rows, so that what was hot long ago gives
/// way (frequency with ageing). The coldest expert that no layer of the step needs or is predicted to need makes room.
/// </para>
/// <para>
/// Reader threads take what a layer needs before what the next one is predicted to need, and read whole experts into stages. Whoever takes a layer's experts arranges those that
/// have come, with the whole team and in the memory of those that make room: a thread that did this beside the team would take a processor from a member for which all others
/// wait, or get none while members spin. A layer takes its experts in waves, as they come; they are kept until they are computed, so a layer may need more experts than fit.
/// </para>
/// <para>One step at a time; the readers are its only company. Allocates no managed memory in steps that find everything in memory.</para>
/// </remarks>
internal sealed partial class ExpertCache : IDisposable
{
    /// <summary>Rows after which a counted load weighs half.</summary>
    public const double HalfLife = 512;

    // Below this share of right predictions only one in so many is read: a wrong one takes the disk and a processor from what is needed.
    private const double LeastTrust = 0.4, TrustStep = 0.01;
    private const int Probe = 8;

    private readonly Checkpoint _checkpoint;
    private readonly IBackend _backend;
    private readonly ExpertBudget _budget;
    private readonly ExpertPolicy _policy;
    private readonly bool _lock;
    private readonly ExpertFiles _files = new();
    private readonly ExpertFilling _filling;
    private readonly List<Slot> _arrived = [];
    private readonly Stack<Slot> _free = new();
    private readonly Lock _start = new();
    private readonly object _gate = new();
    private readonly Layer?[] _layers;
    private readonly int[] _order;
    private readonly Queue<(Layer Layer, int Expert)> _needed = new(), _foreseen = new();
    private readonly Thread[] _readers;
    private double _weight = 1, _trust = 1;
    private int _probe;
    private long _used, _other;
    private int _resident;
    private bool _started, _stopping;
    private ExceptionDispatchInfo? _failure;
    private Storage? _stages;

    public ExpertCache(Checkpoint checkpoint, IBackend backend, ExpertBudget budget, LoadOptions options)
    {
        (_checkpoint, _backend, _budget, _policy, _lock) = (checkpoint, backend, budget, options.Experts, options.Lock);
        _filling = new ExpertFilling(checkpoint, backend);
        _layers = new Layer?[checkpoint.Config.Layers + 1];
        _order = new int[checkpoint.Config.RoutedExperts];
        _readers = new Thread[budget.Readers];
        Capacity = budget.Experts;
        if (_policy == ExpertPolicy.Mapped) MostBytes = checkpoint.Config.ExpertsPerToken * budget.ExpertBytes;
    }

    /// <summary>Bytes of experts that <see cref="Warm"/> reads at most.</summary>
    public long WarmBytes => _policy == ExpertPolicy.Cached ? Math.Min(Capacity, _checkpoint.Catalog.Tensors.Count(t => t.Role == TensorRole.ExpertGate) * _budget.ExpertBytes) : 0;

    /// <summary>Whether predictions are of use.</summary>
    public bool Foresees => _policy == ExpertPolicy.Cached;

    /// <summary>Reads under way at once at most.</summary>
    public int Readers => _budget.Readers;

    /// <summary>Bytes of the weights that are kept, as far as they are loaded.</summary>
    public long ResidentBytes { get; set; }

    /// <summary>Bytes that experts may take at most, whatever the limit on memory leaves them.</summary>
    public long MostBytes { get; set; } = long.MaxValue;

    /// <summary>Bytes that experts may take now.</summary>
    public long Capacity { get; private set; }

    /// <summary>Tells of a layer's arranged weights, of which none is filled.</summary>
    public void Add(int layer, PackedWeights gateUp, PackedWeights down)
    {
        bool isStaged = _policy == ExpertPolicy.Cached && Enumerable.Range(0, gateUp.Experts).All(IsStaged);
        lock (_gate) _layers[layer] = new Layer(layer, gateUp, down, isStaged);

        bool IsStaged(int expert) =>
            Takes(TensorRole.ExpertGate, expert, gateUp) && Takes(TensorRole.ExpertUp, expert, gateUp) && Takes(TensorRole.ExpertDown, expert, down);

        bool Takes(TensorRole role, int expert, PackedWeights packed) => ExpertStage.Takes(_checkpoint, _checkpoint.Catalog.Get(role, layer, expert), packed.Format);
    }

    /// <summary>Begins a step of so many rows. What an interrupted step before has kept is let go.</summary>
    public void BeginStep(int rows)
    {
        lock (_gate)
        {
            _stepStart = Stopwatch.GetTimestamp();
            _failure = null;
            _weight *= Math.Pow(2, rows / HalfLife);
            if (_weight > 1e30) Rescale();
            foreach (var layer in _layers)
            {
                if (layer is null) continue;
                for (int e = 0; e < layer.Entries.Length; e++) LetGo(layer, e);
            }
        }
    }

    /// <summary>Ends a step.</summary>
    public void EndStep()
    {
        lock (_gate) _stepTicks += Stopwatch.GetTimestamp() - _stepStart;
    }

    /// <summary>Tells what a step takes beside weights, in bytes: what is left to experts changes accordingly.</summary>
    public void Account(long stepBytes)
    {
        lock (_gate)
        {
            long other = stepBytes + Math.Max(_budget.Resident, ResidentBytes);
            if (other == _other) return;
            _other = other;
            Capacity = Math.Min(MostBytes, _budget.Memory - ExpertBudget.Runtime - _budget.Reading - other);
            // One expert is the least that a layer can be computed with.
            Capacity = Math.Max(Capacity, _budget.ExpertBytes);
            while (_used > Capacity && Coldest(null, foreseen: true) is ({ } layer, var expert)) Drop(layer, expert);
        }
    }

    /// <summary>Says how many rows of a layer go to each expert; those that are absent are read.</summary>
    public void Require(int layer, ReadOnlySpan<int> load)
    {
        StartReaders();
        lock (_gate)
        {
            var at = _layers[layer]!;
            int missing = 0;
            for (int e = 0; e < load.Length; e++)
            {
                if (load[e] == 0) continue;
                ref var entry = ref at.Entries[e];
                entry.Score += _weight * load[e];
                entry.Claim = Claim.Needed;
                if (entry.State is State.Present or State.Read) _hits++;
                else _misses++;
                if (entry.IsForeseen)
                {
                    _foreseenUsed++;
                    _trust += TrustStep * (1 - _trust);
                    entry.IsForeseen = false;
                }

                if (entry.State is State.Present or State.Read) CountUsed(ref entry, at);
                else if (entry.State != State.Reading) _order[missing++] = e;
            }

            // Most rows first: they take longest to compute.
            if (missing > 1) SortByLoad(_order.AsSpan(0, missing), load);
            for (int i = 0; i < missing; i++)
            {
                at.Entries[_order[i]].State = State.Queued;
                _needed.Enqueue((at, _order[i]));
            }

            if (missing > 0) Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Says how many rows of a layer would go to each expert if the prediction holds.</summary>
    public void Foresee(int layer, ReadOnlySpan<int> load)
    {
        if (!Foresees) return;
        StartReaders();
        lock (_gate)
        {
            if (_layers[layer] is not { } at) return;
            int missing = 0;
            for (int e = 0; e < load.Length; e++)
            {
                if (load[e] == 0) continue;
                ref var entry = ref at.Entries[e];
                if (entry.Claim == Claim.None) entry.Claim = Claim.Foreseen;
                if (entry.State == State.Absent && (_trust >= LeastTrust || ++_probe % Probe == 0)) _order[missing++] = e;
            }

            if (missing > 1) SortByLoad(_order.AsSpan(0, missing), load);
            for (int i = 0; i < missing; i++)
            {
                at.Entries[_order[i]].State = State.Queued;
                _foreseen.Enqueue((at, _order[i]));
            }

            if (missing > 0) Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Takes all experts that a layer needs, if they are in memory.</summary>
    public bool TryTakeAll(int layer)
    {
        ArrangeNeeded();
        lock (_gate)
        {
            foreach (ref readonly var entry in _layers[layer]!.Entries.AsSpan())
            {
                if (entry.Claim == Claim.Needed && entry.State != State.Present) return false;
            }

            return true;
        }
    }

    /// <summary>Takes the experts that a layer still needs and that are in memory; waits until there is one.</summary>
    /// <returns>How many; their numbers are in ascending order.</returns>
    /// <exception cref="CheckpointException">An expert could not be read.</exception>
    public int Take(int layer, Span<int> wave)
    {
        while (true)
        {
            ArrangeNeeded();
            Slot slot;
            (Layer? Layer, int Expert) room;
            lock (_gate)
            {
                var at = _layers[layer]!;
                int count = 0;
                for (int e = 0; e < at.Entries.Length; e++)
                {
                    if (at.Entries[e] is { Claim: Claim.Needed, State: State.Present }) wave[count++] = e;
                }

                if (count > 0) return count;
                if (_failure is { } failure)
                {
                    _failure = null;
                    failure.Throw();
                }

                // While nothing that is needed is there, what is foreseen can be arranged.
                if (!TryTakeArrived(Claim.None, out slot, out room))
                {
                    long start = Stopwatch.GetTimestamp();
                    Monitor.Wait(_gate);
                    _waitTicks += Stopwatch.GetTimestamp() - start;
                    continue;
                }
            }

            Arrange(slot, room);
        }
    }

    /// <summary>Gives back a wave that is computed.</summary>
    public void Return(int layer, ReadOnlySpan<int> wave)
    {
        lock (_gate)
        {
            foreach (int e in wave) LetGo(_layers[layer]!, e);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Ends a layer: nothing of it is kept for its own sake any more, and what was wrongly foreseen and not begun is not read.</summary>
    public void EndLayer(int layer)
    {
        lock (_gate)
        {
            var at = _layers[layer]!;
            for (int e = 0; e < at.Entries.Length; e++) LetGo(at, e);
            Monitor.PulseAll(_gate);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }

        foreach (var reader in _readers) reader?.Join();
        _files.Dispose();
        _filling.Dispose();
        _stages?.Dispose();
    }
}
