using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Training.Model;
using Hadal.Training.Parameters;

namespace Hadal.Training.Checkpoints;

/// <summary>All that a run needs to go on bit for bit: a Hugging Face folder with FP32 weights, AdamW's moments, and where the run stands.</summary>
/// <remarks>
/// <c>checkpoints/step-00001000/</c> holds <c>model/</c>, <c>optimizer.safetensors</c> (<c>first_moment/NAME</c>, <c>second_moment/NAME</c>), <c>ema.safetensors</c> if the run averages its weights (of several ranks each writes its own, <c>optimizer-00000.safetensors</c>; any number of ranks goes on from them), <c>state.json</c>, and
/// <c>manifest.json</c> with the checksums of all of them. The folder appears under its name only when it is complete, so a run that is killed while writing goes on
/// from the checkpoint before; so does a run whose newest checkpoint is no longer what was written.
/// </remarks>
internal static class TrainingCheckpoint
{
    public const string ModelFolder = "model";
    public const string OptimizerFile = "optimizer", AverageFile = "ema";
    private const string StateFile = "state.json", Prefix = "step-", Discarded = ".discarded", Damaged = ".damaged-";

    /// <summary>Name of the checkpoint of a step.</summary>
    public static string Name(int step) => Prefix + step.ToString("D8", CultureInfo.InvariantCulture);

    /// <summary>Writes a checkpoint.</summary>
    /// <exception cref="CheckpointException">The disk is full or the folder cannot be written; nothing is left behind.</exception>
    public static void Save(string folder, TrainingSnapshot snapshot, TrainingState state, IReadOnlyList<string> tokenizerFiles)
    {
        AtomicFolder.Write(folder, temporary =>
        {
            var options = new CheckpointOptions { Type = DType.F32, CopiedFiles = tokenizerFiles, MtpCopies = false };
            CheckpointWriter.Write(Path.Combine(temporary, ModelFolder), snapshot.Config, snapshot.Read, options);
            SafetensorsWriter.Write(
                TensorFiles.PathOf(temporary, OptimizerFile), snapshot.Moments, (entry, stream) => stream.Write(MemoryMarshal.AsBytes(snapshot.Moment(entry.Name))));
            if (snapshot.Averages.Any())
                SafetensorsWriter.Write(TensorFiles.PathOf(temporary, AverageFile), snapshot.Averages, (entry, stream) => stream.Write(MemoryMarshal.AsBytes(snapshot.Average(entry.Name))));
            Complete(temporary, state);
        });
    }

    /// <summary>Writes what comes last into a folder that has everything else.</summary>
    public static void Complete(string folder, TrainingState state)
    {
        AtomicFile.Write(Path.Combine(folder, StateFile), stream => JsonSerializer.Serialize(stream, state, TrainingStateJson.Default.TrainingState));
        CheckpointManifest.Write(folder);
    }

    /// <summary>The newest checkpoint below a folder that is what was written; damaged ones that are newer are set aside.</summary>
    /// <param name="checkpoints">The folder.</param>
    /// <param name="warn">Told of every damaged one: which file, and what differs.</param>
    /// <returns>Null if there is none at all.</returns>
    /// <exception cref="CheckpointException">There are checkpoints, and all of them are damaged; they stay where they are.</exception>
    public static string? FindNewest(string checkpoints, Action<string>? warn)
    {
        var damaged = new List<(string Folder, string Damage)>();
        string? newest = null;
        foreach (string folder in All(checkpoints).OrderDescending(StringComparer.Ordinal))
        {
            if (CheckpointManifest.FindDamage(folder) is not { } damage)
            {
                newest = folder;
                break;
            }

            damaged.Add((folder, damage));
        }

        if (newest is null && damaged.Count > 0)
        {
            string list = string.Join("; ", damaged.Select(d => $"{Path.GetFileName(d.Folder)}: {d.Damage}"));
            throw new CheckpointException(checkpoints, null, $"no checkpoint is what was written ({list}); put a copy back, or delete the folder to start at the first step");
        }

        // Under another name, or it would count as one of those that are kept.
        foreach (var (folder, damage) in damaged)
        {
            string aside = Enumerable.Range(1, int.MaxValue).Select(n => folder + Damaged + n).First(n => !Directory.Exists(n));
            Directory.Move(folder, aside);
            warn?.Invoke($"The checkpoint {folder} is damaged: {damage}. It is now {Path.GetFileName(aside)}; the run goes on from {Path.GetFileName(newest)}.");
        }

        return newest;
    }

    /// <summary>Deletes all but the newest checkpoints.</summary>
    public static void Prune(string checkpoints, int keep)
    {
        // Renamed before its files go one by one: under the name of a checkpoint there is a whole one, also if the run is killed right here.
        foreach (string old in All(checkpoints).Order(StringComparer.Ordinal).SkipLast(keep)) Directory.Move(old, old + Discarded);
        foreach (string old in Directory.EnumerateDirectories(checkpoints, Prefix + "*" + Discarded).ToArray()) Directory.Delete(old, recursive: true);
    }

    /// <summary>Where the run stood.</summary>
    /// <exception cref="CheckpointException">The file is missing or damaged.</exception>
    public static TrainingState ReadState(string folder)
    {
        string path = Path.Combine(folder, StateFile);
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), TrainingStateJson.Default.TrainingState) is { Step: >= 0, Tokens: >= 0, RunHash: not null } state
                ? state
                : throw new CheckpointException(path, null, "the state has no step, tokens and run_hash");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, null, $"the state cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Fills weights, router biases, moments and, if there is one, the average of the weights.</summary>
    /// <exception cref="CheckpointException">A file is damaged, or belongs to another model.</exception>
    public static void Load(string folder, TrainingModel model, IBackend backend, WeightAverage? average)
    {
        average?.Wait();
        using (var checkpoint = Checkpoint.Open(Path.Combine(folder, ModelFolder))) ModelWeights.Load(model, backend, checkpoint);
        using (var files = TensorFiles.Open(folder, OptimizerFile))
        {
            foreach (var moment in Moments(model))
            {
                var values = new float[moment.Values.Count];
                files.Read(moment.Name, values);
                backend.Write(values, moment.Values);
            }
        }

        if (average is not null) LoadAverage(folder, average);
    }

    /// <summary>Fills an average of weights, or of those of them that are here.</summary>
    /// <exception cref="CheckpointException">A file is damaged, or belongs to another model.</exception>
    public static void LoadAverage(string folder, WeightAverage average)
    {
        using var files = TensorFiles.Open(folder, AverageFile);
        foreach (var (name, _) in average.Tensors) files.Read(name, average[name]);
        average.Restore();
    }

    /// <summary>AdamW's moments under their names in the file, which has FP32 whatever they are in memory: a bfloat16 value is one in FP32.</summary>
    internal static IEnumerable<(string Name, Tensor Values)> Moments(TrainingModel model)
    {
        var parameters = model.Parameters;
        foreach (var (name, value) in parameters.Named)
        {
            long first = parameters.OffsetOf(value);
            yield return (MomentName(name, second: false), Part(parameters.FirstMoments, first, value.Weight.Shape));
            yield return (MomentName(name, second: true), Part(parameters.SecondMoments, first, value.Weight.Shape));
        }
    }

    /// <summary>The name of a parameter's moment in the file.</summary>
    internal static string MomentName(string name, bool second) => (second ? "second_moment/" : "first_moment/") + name;

    private static Tensor Part(Tensor moments, long first, Shape shape) => moments.Storage.View(first * moments.Type.SizeOf(), moments.Type, shape);

    private static IEnumerable<string> All(string checkpoints) => !Directory.Exists(checkpoints)
        ? []
        : Directory.EnumerateDirectories(checkpoints, Prefix + "*").Where(d => Path.GetFileName(d).Length == Prefix.Length + 8 && Directory.EnumerateFileSystemEntries(d).Any());
}
