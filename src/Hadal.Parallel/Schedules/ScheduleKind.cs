namespace Hadal.Parallel.Schedules;

/// <summary>An order in which the ranks of a pipeline run the forwards and backwards of their micro-batches.</summary>
public enum ScheduleKind
{
    /// <summary>1F1B: after the pipeline is full, one forward and one whole backward in turn. Any number of ranks and micro-batches.</summary>
    OneForwardOneBackward,

    /// <summary>ZB1P, the handcrafted ZB-H1 of "Zero Bubble Pipeline Parallelism": 1F1B with weight gradients put off, at no more memory. Any number of ranks and micro-batches.</summary>
    ZeroBubble,

    /// <summary>DualPipe (report section 3.2.1): micro-batches enter at both ends, forwards and backwards of the two directions overlap. Every rank holds two stages.</summary>
    DualPipe,

    /// <summary>DualPipeV: DualPipe cut in half and folded: twice as many stages as ranks in a V, one copy of each; micro-batches enter and leave at rank 0.</summary>
    DualPipeV,
}
