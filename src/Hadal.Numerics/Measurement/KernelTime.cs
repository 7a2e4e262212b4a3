namespace Hadal.Numerics.Measurement;

/// <summary>Time that one kind of work took.</summary>
/// <param name="Kernel">What it is, in words.</param>
/// <param name="Calls">How often a team of threads did it.</param>
/// <param name="Time">From the start of the first item to the end of the last, summed up over the calls.</param>
public sealed record KernelTime(string Kernel, long Calls, TimeSpan Time);
