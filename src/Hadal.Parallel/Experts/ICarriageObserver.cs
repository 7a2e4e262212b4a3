namespace Hadal.Parallel.Experts;

/// <summary>Told of the carriages of a rank. Times are those of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
internal interface ICarriageObserver
{
    /// <summary>A carriage was under way: from when the exchange thread took it up to its end, which includes waiting for other ranks. Told on the exchange thread.</summary>
    void Carried(Carriage carriage, long started, long ended);

    /// <summary>The rank could not go on computing before a carriage had ended. Told on the computing thread.</summary>
    void Awaited(Carriage carriage, long started, long ended);
}
