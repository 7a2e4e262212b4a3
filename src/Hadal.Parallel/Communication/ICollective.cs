using Hadal.Numerics;

namespace Hadal.Parallel.Communication;

/// <summary>A group of ranks that move tensors between their memories, as one of them sees it: the waist above threads, MPI and NCCL.</summary>
/// <remarks>
/// <para>
/// Movements begin when they are called and run beside the caller; tensors that take part are left alone until <see cref="ITransfer.Wait"/> returns. Tensors are contiguous, of any
/// element type; both sides state the same number of bytes. All ranks of a group call the group's operations of more than two ranks (from <see cref="AllToAll"/> on) in the same order.
/// </para>
/// <para>
/// Nothing here adds numbers: sums are made by <see cref="Reduction"/> from movements, in the order of ranks, so that their bits are the same over every engine.
/// </para>
/// <para>
/// One thread of a rank uses a group at a time. A rank that disposes of a group has waited for all it began there, and calls nothing more in it. Exceptions name ranks by their place
/// among all ranks of the job, not in a group.
/// </para>
/// </remarks>
public interface ICollective : IDisposable
{
    /// <summary>This rank in the group, from 0.</summary>
    int Rank { get; }

    /// <summary>Ranks in the group.</summary>
    int Size { get; }

    /// <summary>What this rank has moved in this group, and how long it has waited.</summary>
    CommunicationCounters Counters { get; }

    /// <summary>Sends a tensor to a rank. Messages between two ranks with the same tag arrive in the order in which they were sent.</summary>
    /// <param name="values">What is sent; may be empty of elements: the other side then learns only that it came.</param>
    /// <param name="destination">Another rank, or this one.</param>
    /// <param name="tag">0 to 32767: which of several streams between the two.</param>
    /// <returns>Complete when the values may be written again.</returns>
    ITransfer Send(Tensor values, int destination, int tag = 0);

    /// <summary>Receives a tensor from a rank.</summary>
    /// <param name="values">Where it goes.</param>
    /// <param name="source">Another rank, or this one.</param>
    /// <param name="tag">As the sender says.</param>
    /// <returns>Complete when the values are there; failed if the message has another length.</returns>
    ITransfer Receive(Tensor values, int source, int tag = 0);

    /// <summary>Sends a block of rows to every rank and receives one from each, in the order of ranks.</summary>
    /// <param name="send">[Σ sendRows, N].</param>
    /// <param name="sendRows">[Size]: rows for each rank; this one included.</param>
    /// <param name="receive">[Σ receiveRows, N], of the same type.</param>
    /// <param name="receiveRows">[Size]: rows from each rank, as it sends them.</param>
    /// <returns>Complete when all rows are there and may be written again.</returns>
    ITransfer AllToAll(Tensor send, ReadOnlySpan<int> sendRows, Tensor receive, ReadOnlySpan<int> receiveRows);

    /// <summary>Gives every rank the parts of all ranks, in the order of ranks.</summary>
    /// <param name="part">This rank's; of the same size on every rank.</param>
    /// <param name="whole">Size times as many elements. <paramref name="part"/> may be its own place in it.</param>
    /// <returns>Complete when the whole is there.</returns>
    ITransfer AllGather(Tensor part, Tensor whole);

    /// <summary>Gives every rank the values of one.</summary>
    /// <param name="values">Sent by the root, received by the others.</param>
    /// <param name="root">The rank that has them.</param>
    /// <returns>Complete when they are there.</returns>
    ITransfer Broadcast(Tensor values, int root);

    /// <summary>Returns when every rank has called it.</summary>
    /// <exception cref="CollectiveException">A rank is gone.</exception>
    void Barrier();

    /// <summary>Divides the group: ranks of one color become a group of their own, in the order of their keys (and of their ranks where keys are equal). Called by all ranks.</summary>
    /// <param name="color">0 or more.</param>
    /// <param name="key">Decides the order.</param>
    /// <returns>The group that this rank is in.</returns>
    ICollective Split(int color, int key);

    /// <summary>Tells every rank of the whole job that this one cannot go on: their waits end with a <see cref="CollectiveException"/> that names it. Across processes the job
    /// ends at once, with a line on standard error that names it, and this does not return.</summary>
    /// <param name="reason">One sentence.</param>
    void Abort(string reason);
}
