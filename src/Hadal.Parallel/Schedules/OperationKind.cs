namespace Hadal.Parallel.Schedules;

/// <summary>What a rank computes in one step of a schedule.</summary>
public enum OperationKind
{
    /// <summary><c>F</c>: forward of a chunk.</summary>
    Forward,

    /// <summary><c>B</c>: whole backward of a chunk, for its inputs and its weights.</summary>
    Backward,

    /// <summary><c>Bi</c>: backward of a chunk for its inputs alone; its weight gradient joins the queue.</summary>
    BackwardForInputs,

    /// <summary><c>W</c>: the weight gradient that waits longest in the queue.</summary>
    WeightGradient,

    /// <summary><c>FB</c>: forward of one chunk overlapped with the whole backward of a chunk of the other direction.</summary>
    ForwardAndBackward,
}
