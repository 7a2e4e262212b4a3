namespace Hadal.Parallel.Schedules;

/// <summary>A message between two ranks, as one of them sees it.</summary>
/// <param name="Kind">Send or receive, forward or backward.</param>
/// <param name="Chunk">Micro-batch and direction, on the sending rank and the receiving rank alike.</param>
/// <param name="Peer">The other rank.</param>
public readonly record struct ScheduleMessage(MessageKind Kind, ChunkId Chunk, int Peer)
{
    /// <summary>Whether this rank sends.</summary>
    public bool IsSend => Kind is MessageKind.SendForward or MessageKind.SendBackward;

    /// <summary>Whether it carries the output of a forward; otherwise a gradient.</summary>
    public bool IsForward => Kind is MessageKind.SendForward or MessageKind.ReceiveForward;

    /// <summary>The same message as the other rank sees it.</summary>
    /// <param name="rank">This rank.</param>
    /// <returns>Send for receive, receive for send.</returns>
    public ScheduleMessage SeenBy(int rank) => new(Kind switch
    {
        MessageKind.SendForward => MessageKind.ReceiveForward,
        MessageKind.ReceiveForward => MessageKind.SendForward,
        MessageKind.SendBackward => MessageKind.ReceiveBackward,
        _ => MessageKind.SendBackward,
    }, Chunk, rank);

    /// <summary>Such as <c>SF.0.3@1</c>.</summary>
    public override string ToString() => $"{(IsSend ? 'S' : 'R')}{(IsForward ? 'F' : 'B')}.{Chunk}@{Peer}";
}
