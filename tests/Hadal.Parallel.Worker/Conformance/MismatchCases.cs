using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>Rank 0 sends to the last rank what that does not expect. The receiver hears of it; the sender may.</summary>
internal static class MismatchCases
{
    public static void TooLong(ICollective group, IBackend backend) => Message(group, backend, 1300, 20);

    public static void TooShort(ICollective group, IBackend backend) => Message(group, backend, 20, 1300);

    public static void AllToAll(ICollective group, IBackend backend)
    {
        using var patterns = new Patterns(backend);
        int last = group.Size - 1;
        var sendRows = new int[group.Size];
        var receiveRows = new int[group.Size];
        if (group.Rank == 0) sendRows[last] = 3;
        if (group.Rank == last) receiveRows[0] = 5;
        Tensor send = patterns.Make(DType.F32, new Shape(sendRows.Sum(), 100)), receive = patterns.Make(DType.F32, new Shape(receiveRows.Sum(), 100));
        Expect(group, last, 1200, 2000, () => group.AllToAll(send, sendRows, receive, receiveRows).Wait());
    }

    private static void Message(ICollective group, IBackend backend, int sent, int expected)
    {
        using var patterns = new Patterns(backend);
        int last = group.Size - 1;
        if (group.Rank == 0) Expect(group, last, 4 * sent, 4 * expected, () => group.Send(patterns.Make(DType.F32, new Shape(sent)), last, 3).Wait());
        else if (group.Rank == last) Expect(group, last, 4 * sent, 4 * expected, () => group.Receive(patterns.Make(DType.F32, new Shape(expected)), 0, 3).Wait());
    }

    private static void Expect(ICollective group, int receiver, int sent, int expected, Action action)
    {
        try
        {
            action();
        }
        catch (CollectiveException e)
        {
            string[] parts = ["rank 0", $"rank {receiver}", $"{sent} bytes", $"{expected} bytes"];
            foreach (string part in parts)
            {
                if (!e.Message.Contains(part, StringComparison.OrdinalIgnoreCase)) throw new ConformanceException($"The message does not name {part}: {e.Message}");
            }

            return;
        }

        if (group.Rank == receiver) throw new ConformanceException("What does not fit was received without a word.");
    }
}
