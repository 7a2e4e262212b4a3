namespace Hadal.Parallel.Simulation;

/// <summary>When a send lets its rank go on.</summary>
public enum MessageEnd
{
    /// <summary>When it has arrived, which needs the receiver to have begun its receive: NCCL, and MPI with large messages.</summary>
    Rendezvous,

    /// <summary>At once: the message is kept for the receiver, who alone waits for it. What published bubble formulas assume.</summary>
    Buffered,
}
