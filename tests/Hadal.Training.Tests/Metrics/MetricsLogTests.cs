using System.Text.Json;
using Hadal.Training.Metrics;

namespace Hadal.Training.Tests.Metrics;

public sealed class MetricsLogTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void A_line_has_the_fields_of_the_contract()
    {
        Write(1);
        var line = JsonDocument.Parse(File.ReadAllText(_file)).RootElement;
        string[] names = ["step", "tokens", "loss", "main_loss", "mtp_loss", "balance_loss", "grad_norm", "learning_rate", "tokens_per_second", "max_violation"];
        Assert.Equal(names, line.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public void What_is_written_reads_back()
    {
        Write(3);
        Assert.Equal([1, 2, 3], MetricsLog.Read(_file).Select(m => m.Step));
        Assert.Equal(0.5, MetricsLog.Read(_file)[1].MtpLoss[0]);
    }

    [Fact]
    public void A_resumed_run_cuts_off_later_steps_and_a_torn_line()
    {
        Write(4);
        File.AppendAllText(_file, "{\"step\":5,\"tok");
        Assert.Equal(4, MetricsLog.Read(_file).Count);
        using (var log = MetricsLog.Open(_file, 2)) log.Append(Metrics(3));
        Assert.Equal([1, 2, 3], MetricsLog.Read(_file).Select(m => m.Step));
        Assert.Equal(3, File.ReadAllLines(_file).Length);
    }

    private void Write(int steps)
    {
        using var log = MetricsLog.Open(_file, 0);
        for (int step = 1; step <= steps; step++) log.Append(Metrics(step));
    }

    [Fact]
    public void Lines_that_find_no_room_wait_and_are_written_whole_and_in_order_when_there_is_some()
    {
        var disk = new SmallDisk { Room = 600 };
        using var log = new MetricsLog(disk);
        string?[] answers = [.. Enumerable.Range(1, 6).Select(step => log.Append(Metrics(step)))];
        Assert.Null(answers[0]);
        Assert.Contains("No space left on device", answers[5], StringComparison.Ordinal);

        // Nothing torn is left behind, and a run that goes back forgets what waits.
        Assert.Equal((byte)'\n', disk.ToArray()[^1]);
        Assert.Throws<IOException>(log.WriteWaiting);
        log.CutBehind(5);
        disk.Room = long.MaxValue;
        Assert.Null(log.Append(Metrics(6)));
        var lines = System.Text.Encoding.UTF8.GetString(disk.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([1, 2, 3, 4, 5, 6], lines.Select(l => MetricsLog.TryParse(System.Text.Encoding.UTF8.GetBytes(l))!.Step));
    }

    /// <summary>Takes what fits, then fails, as a full disk does.</summary>
    private sealed class SmallDisk : MemoryStream
    {
        public long Room { get; set; }

        public override void Write(byte[] buffer, int offset, int count)
        {
            int fits = (int)Math.Min(count, Math.Max(0, Room - Position));
            base.Write(buffer, offset, fits);
            if (fits < count) throw new IOException("No space left on device.");
        }
    }

    private static StepMetrics Metrics(int step) => new()
    {
        Step = step,
        Tokens = step * 100,
        Loss = 1,
        MainLoss = 0.8,
        MtpLoss = [0.5],
        BalanceLoss = 1,
        GradNorm = 2,
        LearningRate = 1e-3,
        TokensPerSecond = 10,
        MaxViolation = [0.1, 0.2],
    };
}
