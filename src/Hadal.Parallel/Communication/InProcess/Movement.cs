using Hadal.Numerics;

namespace Hadal.Parallel.Communication.InProcess;

/// <summary>Which operation a movement belongs to; both of its sides have to say the same.</summary>
internal enum MovementKind
{
    Message,
    AllToAll,
    AllGather,
    Broadcast,
    Barrier,
    Split,
}

/// <summary>One side of a movement from one rank to another.</summary>
/// <param name="Transfer">The operation it is part of.</param>
/// <param name="Kind">Likewise.</param>
/// <param name="Values">What is sent, or where it goes; no tensor where only the word moves.</param>
/// <param name="Source">World rank that sends.</param>
/// <param name="Destination">World rank that receives.</param>
/// <param name="Tag">The message's, or the number of the operation among those of its group.</param>
/// <param name="IsSend">Which side.</param>
internal sealed record Movement(PendingTransfer Transfer, MovementKind Kind, Tensor Values, int Source, int Destination, int Tag, bool IsSend)
{
    /// <summary>The rank whose side this is.</summary>
    public int Owner => IsSend ? Source : Destination;

    /// <summary>Bytes that this side states.</summary>
    public long ByteLength => Values.IsEmpty ? 0 : TensorMemory.ByteLength(Values);

    /// <summary>What this side's rank does, as messages say it.</summary>
    public override string ToString()
    {
        string what = Kind == MovementKind.Message ? $"tag {Tag}" : $"{Kind}, operation {Tag} of its group";
        return IsSend ? $"rank {Source} sends {ByteLength} bytes to rank {Destination} ({what})" : $"rank {Destination} expects {ByteLength} bytes from rank {Source} ({what})";
    }
}
