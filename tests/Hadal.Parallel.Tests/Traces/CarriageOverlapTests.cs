using Hadal.Parallel.Experts;
using Hadal.Parallel.Pipeline;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Traces;

namespace Hadal.Parallel.Tests.Traces;

public class CarriageOverlapTests
{
    [Fact]
    public void Rows_are_hidden_where_the_rank_computes_and_waits_for_none()
    {
        var events = new StepEvents();
        var (step, carriage) = ((IStepObserver)events, (ICarriageObserver)events);
        ChunkId first = new(0, 0), second = new(1, 0);
        step.Computed(new ScheduleOperation(OperationKind.Forward, first), 0, 100);
        step.Computed(new ScheduleOperation(OperationKind.ForwardAndBackward, second, first), 150, 300);
        carriage.Awaited(Carriage.Dispatch, 40, 60);
        carriage.Awaited(Carriage.Combine, 200, 210);

        // 10 to 60: waited for from 40 on. 90 to 160: 50 of it between the operations. 180 to 250: all in the pair, 10 of it waited for.
        carriage.Carried(Carriage.Dispatch, 10, 60);
        carriage.Carried(Carriage.Combine, 90, 160);
        carriage.Carried(Carriage.GradientDispatch, 180, 250);
        Assert.Equal(new CarriageOverlap(50 + 70 + 70, 30 + 10 + 10 + 60, 10 + 70, 10 + 60), CarriageOverlap.Of(events));
    }
}
