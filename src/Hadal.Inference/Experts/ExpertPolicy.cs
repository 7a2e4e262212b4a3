namespace Hadal.Inference.Experts;

/// <summary>What happens to routed experts when there is less memory than all of them take.</summary>
public enum ExpertPolicy
{
    /// <summary>The most used are kept; the others are read ahead of their use, past the system's file cache.</summary>
    Cached,

    /// <summary>None is kept: each is arranged from the mapped file whenever it is used, and what stays in memory is the system's choice. For comparison.</summary>
    Mapped,
}
