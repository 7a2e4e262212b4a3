using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Checkpoints;

public sealed class DamagedCheckpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hadal-damage-").FullName;
    private readonly CpuBackend _backend = new(1);

    public DamagedCheckpointTests()
    {
        using var run = Start();
        run.Run(null, CancellationToken.None);
    }

    public static TheoryData<string> Files => ["model/model.safetensors", "model/config.json", "optimizer.safetensors", "state.json", "manifest.json"];

    private string Checkpoints => Path.Combine(_folder, "checkpoints");

    public void Dispose()
    {
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_flipped_bit_in_any_file_of_the_newest_checkpoint_is_found_and_the_one_before_is_taken(string name)
    {
        string file = Path.Combine(Checkpoints, "step-00000004", name);
        byte[] bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(file, bytes);
        AssertFallsBack(name, name == "manifest.json" ? "" : "has other content than was written");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_truncated_file_is_found(string name)
    {
        using (var file = File.OpenWrite(Path.Combine(Checkpoints, "step-00000004", name))) file.SetLength(file.Length - 1);
        AssertFallsBack(name, name == "manifest.json" ? "is not what was written" : "bytes where");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_deleted_file_is_found(string name)
    {
        File.Delete(Path.Combine(Checkpoints, "step-00000004", name));
        AssertFallsBack(name, "is missing");
    }

    [Fact]
    public void When_no_checkpoint_is_sound_the_error_names_all_of_them_and_touches_none()
    {
        File.Delete(Path.Combine(Checkpoints, "step-00000002", "state.json"));
        File.AppendAllText(Path.Combine(Checkpoints, "step-00000004", "optimizer.safetensors"), "x");
        using var run = Start();
        string message = Assert.Throws<CheckpointException>(() => run.Resume()).Message;
        Assert.Contains("step-00000004: optimizer.safetensors has ", message, StringComparison.Ordinal);
        Assert.Contains("step-00000002: state.json is missing", message, StringComparison.Ordinal);
        Assert.Equal(["step-00000002", "step-00000004"], Directory.EnumerateDirectories(Checkpoints).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    private void AssertFallsBack(string name, string difference)
    {
        byte[] expected = File.ReadAllBytes(Path.Combine(_folder, "model", "model.safetensors"));
        var warnings = new List<string>();
        using var run = Start();
        run.Warned = warnings.Add;
        Assert.True(run.Resume());
        Assert.Equal(2, run.StepsDone);
        string warning = Assert.Single(warnings);
        Assert.Contains("step-00000004 is damaged: ", warning, StringComparison.Ordinal);
        Assert.Contains(name, warning, StringComparison.Ordinal);
        Assert.Contains(difference, warning, StringComparison.Ordinal);
        Assert.Contains("goes on from step-00000002", warning, StringComparison.Ordinal);

        run.Run(null, CancellationToken.None);
        Assert.Equal(expected, File.ReadAllBytes(Path.Combine(_folder, "model", "model.safetensors")));
    }

    private TrainingRun Start()
    {
        var source = new TinyRun.Counting();
        return new TrainingRun(TinyRun.Run with { CheckpointEvery = 2 }, TinyRun.Config, _folder, _backend, source, null, 0, []);
    }
}
