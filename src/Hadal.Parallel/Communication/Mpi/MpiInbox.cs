namespace Hadal.Parallel.Communication.Mpi;

/// <summary>Brings what arrives over one communicator together with what is to be received. Used by the one thread that calls MPI.</summary>
/// <remarks>
/// A message's length is looked at before it is received: Open MPI 4.1 writes behind the end of a receive's memory if a longer message comes by way of a direct copy
/// between processes, and no MPI tells that one is shorter. Long messages still travel only when they are received, without a copy in between.
/// </remarks>
/// <param name="engine">That thread's.</param>
/// <param name="comm">The communicator.</param>
internal sealed unsafe class MpiInbox(MpiEngine engine, nint comm)
{
    private readonly Dictionary<(int Source, int Tag), Queue<MpiReceive>> _awaited = [];
    private readonly Dictionary<(int Source, int Tag), Queue<(nint Message, long Bytes)>> _arrived = [];

    /// <summary>Receives that have found no message.</summary>
    public int Awaited { get; private set; }

    /// <summary>Receives the next message of a source and tag, now or when it comes. Messages are taken in the order in which they were sent.</summary>
    public void Receive(MpiReceive receive)
    {
        var key = (receive.Source, receive.Tag);
        if (_arrived.TryGetValue(key, out var messages) && messages.TryDequeue(out var message))
        {
            Begin(receive, message.Message, message.Bytes);
            return;
        }

        if (!_awaited.TryGetValue(key, out var receives)) _awaited.Add(key, receives = new Queue<MpiReceive>());
        receive.Operation.Begin();
        receives.Enqueue(receive);
        Awaited++;
    }

    /// <summary>Looks for messages as long as some are awaited.</summary>
    /// <returns>Whether one has come.</returns>
    public bool Look()
    {
        bool isNews = false;
        while (Awaited > 0)
        {
            nint message = 0;
            MpiEngine.Check(MpiNative.MPI_Improbe(engine.Library.AnySource, MpiLibrary.AnyTag, comm, out int isThere, ref message, engine.Status));
            if (isThere == 0) break;
            isNews = true;
            var key = (engine.Library.SourceOf(engine.Status), engine.Library.TagOf(engine.Status));
            MpiEngine.Check(MpiNative.MPI_Get_elements_x(engine.Status, engine.Library.Byte, out long bytes));
            if (_awaited.TryGetValue(key, out var receives) && receives.TryDequeue(out var receive))
            {
                Awaited--;
                Begin(receive, message, bytes);
                receive.Operation.End();
                continue;
            }

            if (!_arrived.TryGetValue(key, out var messages)) _arrived.Add(key, messages = new Queue<(nint, long)>());
            messages.Enqueue((message, bytes));
        }

        return isNews;
    }

    private void Begin(MpiReceive receive, nint message, long bytes)
    {
        if (bytes != receive.Bytes)
        {
            receive.Operation.Begin();
            receive.Operation.End(new TransferFailure(
                $"Two ranks do not agree about what moves between them: rank {receive.WorldSource} sends {bytes} bytes to rank {engine.Rank}, but rank {engine.Rank} expects "
                + $"{receive.Bytes} bytes from rank {receive.WorldSource} ({receive.What}).",
                null));
            return;
        }

        using var count = MpiCount.Of(bytes, engine.Library);
        MpiEngine.Check(MpiNative.MPI_Imrecv(receive.Address, count.Count, count.Type, ref message, engine.Requests.Next()));
        engine.Requests.Add(new MpiMovement(receive.Operation, receive.What));
    }
}
