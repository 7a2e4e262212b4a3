using Hadal.Parallel.Simulation;

namespace Hadal.Planning.Training;

/// <summary>What a forecast assumes that no plan says, so that it can be assumed otherwise.</summary>
/// <param name="MessageEnd">When a message of the pipeline lets its sender go on.</param>
/// <param name="AloneCompute">How long the compute of a chunk that runs alone takes, beside what it takes in an overlapped pair.</param>
internal sealed record ForecastVariant(MessageEnd MessageEnd = MessageEnd.Rendezvous, double AloneCompute = 1);
