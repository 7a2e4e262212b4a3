using Hadal.Cli.Drawing;
using Hadal.Cli.Errors;

namespace Hadal.Cli.Wiring;

/// <summary>Whether something fits into memory, asked before it is loaded: a system that runs out of memory kills without a word.</summary>
internal static class MemoryRoom
{
    /// <summary>Memory that this process can have at most, in bytes.</summary>
    public static long Available => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Refuses what cannot fit.</summary>
    /// <param name="bytes">What it takes, in bytes.</param>
    /// <param name="what">Who takes it, as the beginning of a sentence.</param>
    /// <param name="remedy">What would take less.</param>
    public static void Require(double bytes, string what, string remedy)
    {
        if (bytes > Available) throw new MistakeException($"{what} takes about {Figures.Bytes(bytes)} of memory, but there are only {Figures.Bytes(Available)}; {remedy}");
    }
}
