namespace Hadal.Parallel.Simulation;

/// <summary>What it costs to pass a chunk's activations, or their gradient, to the rank of the next stage.</summary>
/// <remarks>Each rank has one port out and one port in; messages through a port follow each other.</remarks>
/// <param name="Latency">Seconds before the first byte arrives.</param>
/// <param name="Bytes">Size of a message.</param>
/// <param name="BytesPerSecond">Of one port; above 0.</param>
/// <param name="End">When a send lets its rank go on.</param>
public sealed record MessageCosts(double Latency, double Bytes, double BytesPerSecond, MessageEnd End = MessageEnd.Rendezvous)
{
    /// <summary>Messages that take no time, so that only their order counts.</summary>
    /// <param name="end">When a send lets its rank go on.</param>
    /// <returns>The costs.</returns>
    public static MessageCosts Free(MessageEnd end = MessageEnd.Rendezvous) => new(0, 0, 1, end);

    /// <summary>Seconds for which a message holds its ports.</summary>
    public double TransferSeconds => Bytes / BytesPerSecond;
}
