using System.Runtime.ExceptionServices;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Communication.InProcess;

namespace Hadal.Parallel.Tests.Communication;

/// <summary>Ranks that end within a minute, whatever they wait for.</summary>
internal static class BoundedRanks
{
    /// <summary><see cref="InProcessRanks.Run(int, Action{ICollective}, CancellationToken)"/>, cancelled after 40 seconds and given up after 60.</summary>
    public static void Run(int size, Action<ICollective> body, CancellationTokenSource? cancellation = null)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken, cancellation?.Token ?? default);
        bound.CancelAfter(TimeSpan.FromSeconds(40));
        Exception? thrown = null;
        var thread = new Thread(Body) { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(TimeSpan.FromSeconds(60)), "The ranks have not ended 20 seconds after they were cancelled.");
        if (thrown is not null) ExceptionDispatchInfo.Throw(thrown);

        void Body()
        {
            try
            {
                InProcessRanks.Run(size, body, bound.Token);
            }
            catch (Exception e)
            {
                thrown = e;
            }
        }
    }
}
