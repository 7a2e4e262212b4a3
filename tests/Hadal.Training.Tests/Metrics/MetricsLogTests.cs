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
