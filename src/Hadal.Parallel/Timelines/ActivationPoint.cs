namespace Hadal.Parallel.Timelines;

/// <summary>What a rank holds from a moment on.</summary>
/// <param name="Time">Seconds from the beginning of the step.</param>
/// <param name="Whole">Chunks between their forward and their backward: everything that the backward needs is kept.</param>
/// <param name="Deferred">Chunks between their backward for inputs and their weight gradient: inputs and output gradients of their linear layers are kept.</param>
public readonly record struct ActivationPoint(double Time, int Whole, int Deferred)
{
    /// <summary>Chunks in all.</summary>
    public int Chunks => Whole + Deferred;

    /// <summary>Bytes, if a whole chunk and a deferred one take these.</summary>
    /// <param name="bytesPerChunk">From the start of its forward to the end of its backward.</param>
    /// <param name="bytesPerDeferred">From then to the end of its weight gradient.</param>
    /// <returns>Their sum.</returns>
    public double Bytes(double bytesPerChunk, double bytesPerDeferred) => Whole * bytesPerChunk + Deferred * bytesPerDeferred;
}
