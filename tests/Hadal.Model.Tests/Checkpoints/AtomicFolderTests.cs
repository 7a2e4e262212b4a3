using System.Diagnostics;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Model.Tests.Checkpoints;

public class AtomicFolderTests
{
    private static readonly ModelConfig _small = TinyModel.Dense(8, 12);

    private const string KilledFolder = "HADAL_TEST_KILLED_FOLDER";

    /// <summary>Stops the writing between any two changes to the file system, or in the middle of one, as a kill would, and never lets it clean up.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_death_at_any_step_leaves_the_complete_old_or_the_complete_new_model(bool replaces)
    {
        using var outer = new TemporaryFolder();
        string folder = outer.File("model");
        int step = 0, oldSeen = 0, newSeen = 0;
        for (bool finished = false; !finished; step++)
        {
            foreach (string left in Directory.GetDirectories(outer.Path)) Directory.Delete(left, true);
            if (replaces) Write(folder, 1, new UnflushedOperations());
            try
            {
                Write(folder, 2, new DyingOperations(step));
                finished = true;
            }
            catch (DyingOperations.DeathException)
            {
            }

            // The dead process' lock file stays, without its lock.
            File.WriteAllText(folder + ".lock", "");
            float? found = Content(folder);
            if (found == 2) newSeen++;
            else oldSeen++;
            Assert.True(found == 2 || (!finished && found == (replaces ? 1 : null)), $"step {step}: {found}");

            Write(folder, 3, new UnflushedOperations());
            Assert.Equal(3, Content(folder));
            Assert.Equal([folder], Directory.GetFileSystemEntries(outer.Path));
        }

        Assert.True(oldSeen > 30 && newSeen >= (replaces ? 3 : 2), $"{oldSeen} {newSeen}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_full_disk_at_any_step_is_one_sentence_and_leaves_nothing_behind(bool replaces)
    {
        using var outer = new TemporaryFolder();
        string folder = outer.File("model");
        int failures = 0;
        for (int step = 0; ; step++)
        {
            foreach (string left in Directory.GetDirectories(outer.Path)) Directory.Delete(left, true);
            if (replaces) Write(folder, 1, new UnflushedOperations());
            var files = new DyingOperations(step) { Error = true };
            try
            {
                Write(folder, 2, files);
                Assert.Equal(2, Content(folder));
            }
            catch (CheckpointException e)
            {
                failures++;
                Assert.Equal($"{folder}: the folder cannot be written (No space left on device).", e.Message);
                Assert.Equal(replaces ? 1f : null, Content(folder));
                Assert.Equal(replaces ? [folder] : [], Directory.GetFileSystemEntries(outer.Path));
            }

            if (!files.Struck) break;
        }

        Assert.True(failures > 30);
    }

    /// <summary>The same with a real process and a real kill -9, twice at moments nobody chose.</summary>
    [Fact]
    public void A_killed_process_leaves_a_model_that_loads()
    {
        using var outer = new TemporaryFolder();
        string folder = outer.File("model");
        Write(folder, 1, new UnflushedOperations());
        for (int round = 0; round < 2; round++)
        {
            using var child = StartChild(folder);
            string file = Path.Combine(folder, "config.json");
            var before = File.GetCreationTimeUtc(file);
            var watch = Stopwatch.StartNew();

            // Killed some time after it has replaced the model for the first time.
            while (!child.HasExited && watch.Elapsed < TimeSpan.FromSeconds(60) && (!File.Exists(file) || File.GetCreationTimeUtc(file) == before)) Thread.Sleep(5);
            Thread.Sleep(20 + round * 17);
            Assert.False(child.HasExited, "The child ended by itself.");
            child.Kill();
            child.WaitForExit();
            Assert.Contains(Content(folder), new float?[] { 1, 2 });
        }

        Write(folder, 3, new UnflushedOperations());
        Assert.Equal([folder], Directory.GetFileSystemEntries(outer.Path));
    }

    [Fact(Explicit = true)]
    public void Child_process_that_writes_until_it_is_killed()
    {
        string folder = Environment.GetEnvironmentVariable(KilledFolder) ?? throw new InvalidOperationException("Another test starts this one.");
        for (int i = 0; i < 100_000; i++) Write(folder, 1 + (i + 1) % 2, FileOperations.Platform);
    }

    [Fact]
    public void Two_writers_of_one_folder_do_not_meet()
    {
        using var outer = new TemporaryFolder();
        string folder = outer.File("model");
        AtomicFolder.Write(folder, temporary =>
        {
            File.WriteAllText(Path.Combine(temporary, "a"), "first");
            var e = Assert.Throws<CheckpointException>(() => AtomicFolder.Write(folder, _ => { }));
            Assert.Contains("another process is writing it", e.Message, StringComparison.Ordinal);
        });
        Assert.Equal("first", File.ReadAllText(Path.Combine(folder, "a")));
        Assert.Equal([folder], Directory.GetFileSystemEntries(outer.Path));
    }

    [Fact]
    public void An_exception_of_the_filler_passes_through_and_nothing_stays()
    {
        using var outer = new TemporaryFolder();
        string folder = outer.File("deep/er/model");
        Assert.Throws<OperationCanceledException>(() => AtomicFolder.Write(folder, temporary =>
        {
            File.WriteAllText(Path.Combine(temporary, "a"), "x");
            throw new OperationCanceledException();
        }));
        Assert.Empty(Directory.GetFileSystemEntries(Path.GetDirectoryName(folder)!));
    }

    [Fact]
    public void A_symbolic_link_stays_and_its_target_is_replaced()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Links need rights there.");
        using var outer = new TemporaryFolder();
        string target = outer.File("target"), link = outer.File("link");
        AtomicFolder.Write(target, t => File.WriteAllText(Path.Combine(t, "a"), "old"));
        Directory.CreateSymbolicLink(link, target);
        AtomicFolder.Write(link, t => File.WriteAllText(Path.Combine(t, "a"), "new"));
        Assert.Equal("new", File.ReadAllText(Path.Combine(target, "a")));
        Assert.Equal(target, new DirectoryInfo(link).LinkTarget);
    }

    [Fact]
    public void What_is_no_model_is_not_replaced_by_one()
    {
        using var outer = new TemporaryFolder();
        string home = outer.File("home");
        Directory.CreateDirectory(home);
        Write(home, 1, new UnflushedOperations());
        Assert.Equal(1, Content(home));
        Directory.CreateDirectory(Path.Combine(home, "photos"));
        Assert.Contains("holds the folder photos", Refused(home), StringComparison.Ordinal);
        Directory.Delete(Path.Combine(home, "photos"));
        File.Delete(Path.Combine(home, "config.json"));
        Assert.Contains("holds something that is no model", Refused(home), StringComparison.Ordinal);
        File.WriteAllText(outer.File("file"), "x");
        Assert.Contains("a file of that name is in the way", Refused(outer.File("file")), StringComparison.Ordinal);
        Assert.Contains("cannot be written", Refused(outer.File("file/model")), StringComparison.Ordinal);
        Assert.Equal("x", File.ReadAllText(outer.File("file")));

        static string Refused(string folder) => Assert.Throws<CheckpointException>(() => Write(folder, 2, new UnflushedOperations())).Message;
    }

    [Fact]
    public void A_cancelled_write_leaves_the_old_model()
    {
        using var outer = new TemporaryFolder();
        string folder = outer.File("model");
        Write(folder, 1, new UnflushedOperations());
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => CheckpointWriter.Write(folder, TinyModel.Config, (_, _, _, d) =>
        {
            d.Clear();
            cancel.Cancel();
        }, null, cancel.Token));
        Assert.Equal(1, Content(folder));
        Assert.Equal([folder], Directory.GetFileSystemEntries(outer.Path));
    }

    [Fact]
    public void A_tokenizer_file_that_is_not_there_is_one_sentence()
    {
        using var outer = new TemporaryFolder();
        var options = new CheckpointOptions { CopiedFiles = [outer.File("none.json")] };
        var e = Assert.Throws<CheckpointException>(
            () => CheckpointWriter.Write(outer.File("model"), TinyModel.Config, TinyModel.Values, options, TestContext.Current.CancellationToken));
        Assert.Contains("none.json", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(outer.Path));
    }

    private static void Write(string folder, float value, FileOperations files)
    {
        var options = new CheckpointOptions { Type = DType.F32, ShardBytes = 1000 };
        CheckpointWriter.Write(folder, _small, (_, _, _, destination) => destination.Fill(value), options, files, CancellationToken.None);
    }

    /// <summary>The one value that all parameters of a checkpoint have; null if there is no checkpoint.</summary>
    private static float? Content(string folder)
    {
        AtomicFolder.Recover(folder);
        if (!Directory.Exists(folder)) return null;
        using var checkpoint = Checkpoint.Open(folder);
        float? value = null;
        foreach (var tensor in checkpoint.Tensors)
        {
            var values = new float[tensor.Shape.Count];
            checkpoint.ReadSingle(tensor.Name, values);
            value ??= values[0];
            Assert.Equal(-1, values.AsSpan().IndexOfAnyExcept(value.Value));
        }

        return value;
    }

    private static Process StartChild(string folder)
    {
        string host = Environment.ProcessPath!;
        string[] program = Path.GetFileNameWithoutExtension(host) == "dotnet" ? ["exec", typeof(AtomicFolderTests).Assembly.Location] : [];
        var start = new ProcessStartInfo(host, [.. program, "-explicit", "only", "-method", $"*.{nameof(Child_process_that_writes_until_it_is_killed)}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[KilledFolder] = folder;
        var child = Process.Start(start)!;
        child.OutputDataReceived += (_, _) => { };
        child.ErrorDataReceived += (_, _) => { };
        child.BeginOutputReadLine();
        child.BeginErrorReadLine();
        return child;
    }
}
