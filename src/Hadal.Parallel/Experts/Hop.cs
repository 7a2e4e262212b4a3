using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Experts;

/// <summary>One of the two ways that rows take to their experts: between nodes, or between the ranks of a node.</summary>
/// <remarks>A row goes to a rank once, however many of its experts are there or behind it; results are summed where ways meet, in the order of ranks.</remarks>
internal sealed class Hop(ICollective group, IBackend backend) : IDisposable
{
    private readonly GrowingTensor _send = new(backend), _back = new(backend), _wide = new(backend);
    private readonly HopVolume[] _volumes = [.. Enum.GetValues<Carriage>().Select(_ => new HopVolume())];

    /// <summary>What the engine below counts of the same.</summary>
    public CommunicationCounters Counters => group.Counters;

    /// <summary>What this rank has sent to others for a kind of carriage.</summary>
    public HopVolume Volume(Carriage carriage) => _volumes[(int)carriage];

    public HopRoute CreateRoute() => new(backend, group.Size);

    /// <summary>Tells the other ranks how many rows come, and learns it from them.</summary>
    public void ExchangeCounts(HopRoute route)
    {
        var (sent, received) = route.Counts();
        Span<int> one = stackalloc int[group.Size];
        one.Fill(1);
        backend.Write(route.Sent, sent);
        group.AllToAll(sent, one, received, one).Wait();
        backend.Read(received, route.Received);
        Volume(Carriage.Dispatch).AddBeside((group.Size - 1) * sizeof(int));
    }

    /// <summary>Sends rows along a route.</summary>
    /// <param name="route">With its counts.</param>
    /// <param name="words">[T, N].</param>
    /// <param name="memory">Receives what arrives, in the order of ranks; not used where there is nowhere to go, and rows are given back as they are.</param>
    /// <param name="carriage">What it is part of.</param>
    /// <param name="areRows">Whether these are the rows themselves, or something beside them.</param>
    public Tensor Spread(HopRoute route, Tensor words, GrowingTensor memory, Carriage carriage, bool areRows)
    {
        if (group.Size == 1) return words;
        var send = _send.Take(DType.F32, route.SentRows, words.Columns);
        if (route.SentRows > 0) backend.GatherRows(words, route.Rows, 1, send);
        var arrived = memory.Take(DType.F32, route.ReceivedRows, words.Columns);
        group.AllToAll(send, route.Sent, arrived, route.Received).Wait();
        Count(carriage, areRows, route.SentRows - route.Sent[group.Rank], words.Columns * sizeof(float));
        return arrived;
    }

    /// <summary>Sends results for rows that came along a route back, and sums those of the same row.</summary>
    /// <param name="route">Of the rows.</param>
    /// <param name="results">[received, N], in the order in which rows arrived.</param>
    /// <param name="rows">T.</param>
    /// <param name="isShort">Whether they travel as bfloat16.</param>
    /// <param name="memory">Receives the sums, [T, N]; not used where there is nowhere to go.</param>
    /// <param name="carriage">What it is part of.</param>
    /// <param name="areRows">Whether these are the results of the rows themselves, or something beside them.</param>
    public Tensor Collect(HopRoute route, Tensor results, int rows, bool isShort, GrowingTensor memory, Carriage carriage, bool areRows)
    {
        if (group.Size == 1) return results;
        var type = isShort ? DType.BF16 : DType.F32;
        var travelling = results;
        if (isShort)
        {
            travelling = _send.Take(type, results.Rows, results.Columns);
            if (results.Rows > 0) backend.Copy(results, travelling);
        }

        var back = _back.Take(type, route.SentRows, results.Columns);
        group.AllToAll(travelling, route.Received, back, route.Sent).Wait();
        Count(carriage, areRows, results.Rows - route.Received[group.Rank], results.Columns * type.SizeOf());
        if (isShort)
        {
            var wide = _wide.Take(DType.F32, back.Rows, back.Columns);
            if (back.Rows > 0) backend.Copy(back, wide);
            back = wide;
        }

        var sums = memory.Take(DType.F32, rows, results.Columns);
        backend.Clear(sums);
        if (back.Rows > 0) backend.EmbedWeightBackward(back, route.Rows, sums);
        return sums;
    }

    public void Dispose()
    {
        _send.Dispose();
        _back.Dispose();
        _wide.Dispose();
        group.Dispose();
    }

    private void Count(Carriage carriage, bool areRows, long copies, long bytes)
    {
        if (areRows) Volume(carriage).AddRows(copies, bytes);
        else Volume(carriage).AddBeside(copies * bytes);
    }
}
