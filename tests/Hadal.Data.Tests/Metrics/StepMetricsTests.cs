using System.Text;
using Hadal.Training.Metrics;

namespace Hadal.Data.Tests.Metrics;

public class StepMetricsTests
{
    private static StepMetrics Step(long step) => new()
    {
        Step = step,
        Tokens = step * 1024,
        Loss = 4.5,
        MainLoss = 4.25,
        MtpLoss = [5.5],
        BalanceLoss = 0.001,
        GradNorm = 1.5,
        LearningRate = 0.0003,
        TokensPerSecond = 1234.5,
        MaxViolation = [0.5, 1.25],
    };

    [Fact]
    public void A_line_has_the_promised_fields_in_order()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "metrics.jsonl");
        using (var writer = MetricsWriter.Create(path))
        {
            writer.Write(Step(1));
            writer.Write(Step(2) with { ValidationLoss = 4.75, ExpertLoad = [[1, 2], [3, 0]] });
        }

        Assert.Equal(
            """
            {"step":1,"tokens":1024,"loss":4.5,"main_loss":4.25,"mtp_loss":[5.5],"balance_loss":0.001,"grad_norm":1.5,"learning_rate":0.0003,"tokens_per_second":1234.5,"max_violation":[0.5,1.25]}
            {"step":2,"tokens":2048,"loss":4.5,"main_loss":4.25,"mtp_loss":[5.5],"balance_loss":0.001,"grad_norm":1.5,"learning_rate":0.0003,"tokens_per_second":1234.5,"max_violation":[0.5,1.25],"validation_loss":4.75,"expert_load":[[1,2],[3,0]]}

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(path));
        List<StepMetrics> read = [.. MetricsReader.Read(path)];
        Assert.Equal(4.75, read[1].ValidationLoss);
        Assert.Equal([3L, 0L], read[1].ExpertLoad![1]);
        Assert.Null(read[0].ExpertLoad);
        Assert.Equal(read[0].MaxViolation, Step(1).MaxViolation);
    }

    [Fact]
    public void A_line_can_be_read_as_soon_as_it_is_written()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "metrics.jsonl");
        using var writer = MetricsWriter.Create(path);
        writer.Write(Step(1));
        using var other = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        Assert.StartsWith("{\"step\":1,", other.ReadLine(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_diverged_loss_survives()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "metrics.jsonl");
        using (var writer = MetricsWriter.Create(path)) writer.Write(Step(1) with { Loss = double.NaN, GradNorm = double.PositiveInfinity });
        StepMetrics read = Assert.Single(MetricsReader.Read(path));
        Assert.True(double.IsNaN(read.Loss));
        Assert.True(double.IsPositiveInfinity(read.GradNorm));
    }

    [Fact]
    public void Resuming_removes_later_steps_and_a_torn_line_wherever_the_tear_is()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "metrics.jsonl");
        using (var writer = MetricsWriter.Create(path))
        {
            for (int i = 1; i <= 4; i++) writer.Write(Step(i));
        }

        byte[] whole = File.ReadAllBytes(path);
        int line = whole.Length / 4;
        for (int length = 0; length <= whole.Length; length += 7)
        {
            File.WriteAllBytes(path, whole[..length]);
            int complete = length / line;
            Assert.Equal(complete, MetricsReader.Read(path).Count());
            using (var writer = MetricsWriter.Resume(path, lastStep: 2)) writer.Write(Step(77));
            long[] expected = [.. Enumerable.Range(1, Math.Min(2, complete)).Select(i => (long)i), 77];
            Assert.Equal(expected, MetricsReader.Read(path).Select(m => m.Step));
        }
    }

    [Fact]
    public void Resuming_without_a_file_starts_one()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "metrics.jsonl");
        using (var writer = MetricsWriter.Resume(path, lastStep: 10)) writer.Write(Step(11));
        Assert.Equal(11, Assert.Single(MetricsReader.Read(path)).Step);
    }

    [Theory]
    [InlineData("{\"step\":1}")]
    [InlineData("not json")]
    [InlineData("null")]
    [InlineData("{\"step\":\"x\"}")]
    public void A_whole_line_that_is_no_metrics_line_is_named(string line)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("metrics.jsonl", line + "\n");
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => MetricsReader.Read(path).Count());
        Assert.Contains($"{path}:1", e.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => MetricsWriter.Resume(path, 5).Dispose());
        Assert.Equal(line + "\n", File.ReadAllText(path));
    }

    [Fact]
    public void Lines_longer_than_the_buffer_are_read()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "metrics.jsonl");
        long[][] load = [.. Enumerable.Range(0, 60).Select(l => Enumerable.Range(0, 256).Select(e => (long)(l * e)).ToArray())];
        using (var writer = MetricsWriter.Create(path))
        {
            for (int i = 1; i <= 3; i++) writer.Write(Step(i) with { ExpertLoad = load });
        }

        Assert.True(new FileInfo(path).Length > 3 * 30_000);
        Assert.All(MetricsReader.Read(path), m => Assert.Equal(load, m.ExpertLoad));
    }

    [Fact]
    public void Mutated_files_are_read_or_refused_never_anything_else()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "metrics.jsonl");
        using (var writer = MetricsWriter.Create(path)) writer.Write(Step(1) with { ValidationLoss = 2, ExpertLoad = [[1, 2]] });
        byte[] original = File.ReadAllBytes(path);
        var random = new Random(13);
        int refused = 0;
        for (int i = 0; i < 10_000; i++)
        {
            byte[] mutant = [.. original];
            for (int k = random.Next(1, 4); k > 0; k--) mutant[random.Next(mutant.Length)] = (byte)random.Next(256);
            try
            {
                foreach (StepMetrics metrics in MetricsReader.Read(new MemoryStream(mutant), "m")) Assert.NotNull(metrics.MtpLoss);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 9990);
        Assert.Equal(Encoding.UTF8.GetString(original).Count(c => c == '\n'), MetricsReader.Read(path).Count());
    }
}
