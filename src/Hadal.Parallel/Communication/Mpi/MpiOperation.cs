namespace Hadal.Parallel.Communication.Mpi;

/// <summary>Something that the thread which calls MPI begins, and that is complete when all requests it makes have ended.</summary>
/// <param name="engine">That thread's.</param>
/// <param name="counters">Gets the time of waits.</param>
/// <param name="start">Called by it once; what it throws about its tensors or from MPI fails the operation.</param>
internal sealed class MpiOperation(MpiEngine engine, CommunicationCounters counters, Action<MpiOperation> start) : PendingTransfer(counters)
{
    /// <summary>Begins the requests.</summary>
    public void Start()
    {
        TransferFailure? failure = null;
        try
        {
            start(this);
        }
        catch (Exception e) when (e is CollectiveException or ObjectDisposedException or NotSupportedException)
        {
            failure = new TransferFailure(e.Message, e);
        }

        End(failure);
    }

    protected override void OnWait(bool begins) => engine.OnWait(begins);
}
