using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>Movements whose bytes no 32-bit integer counts. Each of two ranks needs 5 GiB.</summary>
internal static class LargeCases
{
    private const int Piece = 1 << 20;
    private const long Pieces = 520, Elements = Pieces * Piece + 77;

    public static void Move(ICollective group, IBackend backend)
    {
        // Each rank fills its own half of the memory, and gets the other: by a message into it, and, emptied again, by the whole group's operation.
        using var memory = backend.CreateStorage(2 * Elements * sizeof(int));
        Tensor whole = memory.View(0, DType.I32, new Shape(2 * Elements)), mine = Half(group.Rank), theirs = Half(1 - group.Rank);
        var values = new int[Piece];
        ForEachPiece((start, count) =>
        {
            for (int i = 0; i < count; i++) values[i] = Value(group.Rank, start + i);
            backend.Write(values.AsSpan(0, count), mine.ElementRange(start, count));
        });
        var send = group.Send(mine, 1 - group.Rank);
        group.Receive(theirs, 1 - group.Rank).Wait();
        send.Wait();
        Check("sent");
        backend.Clear(theirs.Reshape(new Shape(Elements, 1)));
        group.AllGather(mine, whole).Wait();
        Check("gathered");

        Tensor Half(int rank) => whole.ElementRange(rank * Elements, Elements);

        void Check(string how) => ForEachPiece((start, count) =>
        {
            backend.Read(theirs.ElementRange(start, count), values.AsSpan(0, count));
            for (int i = 0; i < count; i++)
            {
                if (values[i] != Value(1 - group.Rank, start + i)) throw new ConformanceException($"Element {start + i} of {Elements} that were {how} is {values[i]}.");
            }
        });
    }

    private static int Value(int rank, long index) => (int)(index * 2654435761 >> 5) + rank;

    private static void ForEachPiece(Action<long, int> action)
    {
        for (long start = 0; start < Elements; start += Piece) action(start, (int)Math.Min(Piece, Elements - start));
    }
}
