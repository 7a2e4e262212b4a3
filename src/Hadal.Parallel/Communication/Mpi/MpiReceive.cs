using Hadal.Numerics;

namespace Hadal.Parallel.Communication.Mpi;

/// <summary>A message that is to be received.</summary>
/// <param name="Operation">The operation that it is part of.</param>
/// <param name="Values">The tensor that it goes to.</param>
/// <param name="Start">Where in its bytes.</param>
/// <param name="Bytes">How many.</param>
/// <param name="Source">Rank of the group that sends.</param>
/// <param name="WorldSource">The same among all.</param>
/// <param name="Tag">Of the message.</param>
/// <param name="What">The message, as others speak of it.</param>
internal sealed record MpiReceive(MpiOperation Operation, Tensor Values, long Start, long Bytes, int Source, int WorldSource, int Tag, string What)
{
    /// <summary>The first byte that is written.</summary>
    public unsafe byte* Address => TensorMemory.Address(Values) + Start;
}
