using System.Diagnostics.CodeAnalysis;

namespace Hadal.Parallel.Communication.InProcess;

/// <summary>Brings the two sides of movements together, for all groups of a world. Whoever comes second copies, on its own thread.</summary>
/// <remarks>
/// A failure is the world's: every movement that has found no other side ends with it, and whatever is begun later throws it. A copy that is under way is always
/// brought to its end, and <see cref="Fail"/> returns only when none touches the memory of the rank that calls it, so that this memory may be given back.
/// </remarks>
internal sealed class Exchange
{
    // The stream of operations of the whole group, beside those of messages' tags.
    private const int GroupStream = -1;
    private readonly object _gate = new();
    private readonly Dictionary<Stream, Queue<Movement>> _waiting = [];
    private readonly HashSet<(int Group, int Rank)> _left = [];
    private readonly int[] _copies;
    private TransferFailure? _failure;

    /// <param name="size">Ranks of the world.</param>
    public Exchange(int size) => _copies = new int[size];

    /// <summary>Makes a movement as soon as its other side is there: now, or when that comes.</summary>
    /// <param name="group">Number of the group.</param>
    /// <param name="movement">One side; begun on its transfer here, ended when it is made or has failed.</param>
    /// <exception cref="CollectiveException">The world has failed, or does by this.</exception>
    public void Post(int group, Movement movement)
    {
        var stream = new Stream(group, movement.Source, movement.Destination, movement.Kind == MovementKind.Message ? movement.Tag : GroupStream);
        Movement? other;
        lock (_gate)
        {
            ThrowIfFailed(movement.Owner);
            if (!TryTakeOther(stream, movement, out other)) return;
            movement.Transfer.Begin();
            _copies[movement.Source]++;
            _copies[movement.Destination]++;
        }

        TransferFailure? failure = null;
        try
        {
            if (movement.ByteLength > 0) TensorMemory.Copy(movement.IsSend ? movement.Values : other.Values, movement.IsSend ? other.Values : movement.Values);
        }
        catch (Exception e) when (e is ObjectDisposedException or NotSupportedException)
        {
            failure = new TransferFailure($"What moves from rank {movement.Source} to rank {movement.Destination} could not be copied: {e.Message}", e);
        }

        lock (_gate)
        {
            if (failure is not null) Fail(failure);
            _copies[movement.Source]--;
            _copies[movement.Destination]--;
            Monitor.PulseAll(_gate);
        }

        other.Transfer.End(failure);
        movement.Transfer.End(failure);
    }

    /// <summary>Ends everything that waits, once; the first failure stays. Returns when no copy touches the rank's memory.</summary>
    /// <param name="failure">What every rank hears.</param>
    /// <param name="rank">World rank that calls; -1 for none.</param>
    public void Fail(TransferFailure failure, int rank = -1)
    {
        lock (_gate)
        {
            if (_failure is null)
            {
                _failure = failure;
                foreach (var waiting in _waiting.Values)
                {
                    while (waiting.TryDequeue(out var movement)) movement.Transfer.End(failure);
                }
            }

            if (rank >= 0) WaitForCopies(rank);
        }
    }

    /// <summary>A rank calls nothing more in a group: who waits for it, or comes to, waits in vain. Returns when no copy touches the rank's memory.</summary>
    /// <param name="group">Number of the group.</param>
    /// <param name="rank">World rank.</param>
    public void Leave(int group, int rank)
    {
        lock (_gate)
        {
            WaitForCopies(rank);
            if (!_left.Add((group, rank)) || _failure is not null) return;
            foreach (var (stream, waiting) in _waiting)
            {
                if (stream.Group != group || (stream.Source != rank && stream.Destination != rank) || waiting.Count == 0) continue;
                Fail(Deserted(rank, waiting.Peek()));
                return;
            }
        }
    }

    private static TransferFailure Deserted(int rank, Movement movement) => new($"Rank {rank} has left the group, but {movement}.", null);

    // Called with the gate held.
    private bool TryTakeOther(Stream stream, Movement movement, [NotNullWhen(true)] out Movement? other)
    {
        if (!_waiting.TryGetValue(stream, out var waiting)) _waiting.Add(stream, waiting = []);
        if (waiting.TryPeek(out other) && other.IsSend != movement.IsSend)
        {
            waiting.Dequeue();
            if (other.Kind == movement.Kind && other.Tag == movement.Tag && other.ByteLength == movement.ByteLength) return true;
            var failure = new TransferFailure($"Two ranks do not agree about what moves between them: {other}, but {movement}.", null);
            other.Transfer.End(failure);
            Fail(failure);
            ThrowIfFailed(movement.Owner);
        }

        int peer = movement.IsSend ? movement.Destination : movement.Source;
        if (_left.Contains((stream.Group, peer)))
        {
            Fail(Deserted(peer, movement));
            ThrowIfFailed(movement.Owner);
        }

        movement.Transfer.Begin();
        waiting.Enqueue(movement);
        return false;
    }

    // Called with the gate held. Who hears of a failure may give back its memory at once.
    private void ThrowIfFailed(int rank)
    {
        if (_failure is null) return;
        WaitForCopies(rank);
        throw _failure.ToException();
    }

    // Called with the gate held, which is free while it waits.
    private void WaitForCopies(int rank)
    {
        while (_copies[rank] > 0) Monitor.Wait(_gate);
    }

    private readonly record struct Stream(int Group, int Source, int Destination, int Number);
}
