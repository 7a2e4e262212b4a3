using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Stages;
using Hadal.Data.Pipeline.Steps;
using Hadal.Data.Pipeline.Work;
using Hadal.Data.Sources;
using Hadal.Model.Checkpoints;
using Hadal.Model.Tokenization;

namespace Hadal.Data.Pipeline;

/// <summary>
/// Runs a recipe into a folder. Work is cut into tasks whose results are folders that are whole or not there, so a build that was stopped in any way goes on with the same
/// recipe, and ends with the same bytes as one that was not, whatever the workers.
/// </summary>
public sealed class DataBuild
{
    internal const string Identity = "build.json";
    private const string WorkName = "work";
    private readonly DataRecipe _recipe;
    private readonly string _folder;
    private readonly List<(InputFile File, InputRecipe Input)> _files = [];
    private readonly ReadReport _listing = new();
    private readonly IReadOnlyList<IDocumentStep> _before, _after;
    private readonly DocumentEncoder? _encoder;

    /// <summary>Lists the inputs, loads the tokenizer and reads the evaluation sets.</summary>
    /// <param name="recipe">What to do.</param>
    /// <param name="folder">Where the result goes; made if it is not there.</param>
    /// <exception cref="DataException">A path does not exist or nothing readable is there, the tokenizer lacks a token that the recipe needs, or an evaluation set has not the fields that it names.</exception>
    public DataBuild(DataRecipe recipe, string folder)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(folder);
        recipe.Validate("the recipe");
        (_recipe, _folder) = (recipe, Path.GetFullPath(folder));
        (_before, _after) = (DocumentSteps.BeforeDeduplication(recipe), DocumentSteps.AfterDeduplication(recipe));

        // What is wrong with the tokenizer and the evaluation sets is said now, not after hours.
        if (recipe.Tokens is { } tokens) _encoder = new DocumentEncoder(tokens, recipe.Seed);
        foreach (var step in _after.OfType<DecontaminationStep>()) step.Load(_listing);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (input, number) in recipe.Inputs.Select((input, i) => (input, i + 1)))
        {
            var files = InputListing.Find([input.Path], input.Options(recipe.MaximumDocumentBytes), _listing);

            // Documents and sources are named by files, so files of one name are told apart by the number of their input.
            bool clash = files.Any(f => ids.Contains(f.Id));
            foreach (var file in files)
            {
                var named = clash ? file with { Id = FormattableString.Invariant($"@{number}/{file.Id}") } : file;
                ids.Add(named.Id);
                _files.Add((named, input));
            }
        }
    }

    /// <summary>Files that are read.</summary>
    public int Files => _files.Count;

    /// <summary>Their bytes on the disk.</summary>
    public long InputBytes => _files.Sum(f => f.File.Bytes);

    /// <summary>The first paths that were passed over while listing, and the first records of evaluation sets that cannot be used.</summary>
    public IReadOnlyList<ReadProblem> Skipped => _listing.Examples;

    /// <summary>Does what is left to do.</summary>
    /// <param name="workers">Tasks at a time, at least 1.</param>
    /// <param name="share">Which tasks are this process's own; every process runs the same call with its own share and the same folder.</param>
    /// <param name="memory">Bytes that this process may use; 0 for <see cref="MemoryBudget.Default"/>. It may mean fewer workers. The collector keeps to it only after <see cref="MemoryBudget.LimitProcess"/>.</param>
    /// <param name="progress">Told after each task; may be null.</param>
    /// <param name="cancellation">Stops between documents; what is done stays done.</param>
    /// <returns>What is in the folder when it is done.</returns>
    /// <exception cref="DataException">The folder holds another build, or an input, an evaluation set or the tokenizer has changed since the build began.</exception>
    public DataBuildResult Run(int workers, WorkShare share, long memory = 0, IProgress<BuildProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(memory);
        var budget = MemoryBudget.Of(memory == 0 ? MemoryBudget.Default(_recipe.MaximumDocumentBytes) : memory, _recipe.MaximumDocumentBytes, workers, out workers);
        Directory.CreateDirectory(_folder);
        Claim(share, cancellation);
        string finished = Path.Combine(_folder, Publication.Stages), work = Path.Combine(_folder, WorkName);
        if (File.Exists(finished))
        {
            // A process that was stopped while it cleared the work away left some of it.
            if (share.Index == 0 && Directory.Exists(work)) Directory.Delete(work, recursive: true);
            return DataBuildResult.Read(_folder);
        }

        try
        {
            Work(new WorkFolder(work), share, workers, budget, progress, cancellation);
        }
        catch (IOException) when (share.Index > 0 && File.Exists(finished))
        {
            // The first share has put everything together and cleared away what this one was still looking at.
        }

        return DataBuildResult.Read(_folder);
    }

    private void Work(WorkFolder work, WorkShare share, int workers, MemoryBudget budget, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        var runner = new StageRunner(work, share, workers, progress) { IsOver = () => File.Exists(Path.Combine(_folder, Publication.Stages)) };
        var reading = ReadStage.Tasks(_recipe, _files);
        runner.Run(ReadStage.Name, reading, cancellation);
        var read = ReadStage.Parts(work, reading.Count);
        runner.Run(KeyStage.Name, KeyStage.Tasks(_recipe, _before, budget, read), cancellation);
        string[] parts = [.. read.Select((_, i) => work.Of(KeyStage.Name, i))];
        var deduplication = new DeduplicationStages(_recipe, work, parts);
        deduplication.Run(runner, cancellation);
        runner.Run(FinishStage.Name, FinishStage.Tasks(_recipe, _after, budget, deduplication, parts), cancellation);
        string[] finished = [.. parts.Select((_, i) => work.Of(FinishStage.Name, i))];
        var tokens = _recipe.Tokens is { } settings ? new TokenStages(_recipe, settings, _encoder!, budget, work, finished) : null;
        tokens?.Run(runner, cancellation);
        if (share.Index == 0) Publish(work, reading.Count, parts, finished, tokens, cancellation);
        else runner.WaitUntilOver(cancellation);
    }

    // The first to come writes down what is built here; whoever comes later has to build the same.
    private void Claim(WorkShare share, CancellationToken cancellation)
    {
        string path = Path.Combine(_folder, Identity), own = Describe();
        if (!File.Exists(path) && share.Index == 0)
        {
            AtomicFile.Write(path, file => file.Write(Encoding.UTF8.GetBytes(own)));
            return;
        }

        for (int i = 0; !File.Exists(path) && i < 600; i++)
        {
            cancellation.WaitHandle.WaitOne(100);
            cancellation.ThrowIfCancellationRequested();
        }

        if (!File.Exists(path)) throw new DataException($"{path} is not there: the first share (0/{share.Count}) begins a build and has to be started too.", path);
        if (File.ReadAllText(path) == own) return;
        throw new DataException($"{_folder} holds a build of another recipe, or its inputs, evaluation sets or tokenizer have changed since it began; name another folder, or delete this one to build anew.", _folder);
    }

    private string Describe()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (file, _) in _files) Add(file);
        foreach (var set in _recipe.Decontaminate?.Sets ?? [])
        {
            foreach (var file in InputListing.Find([set.Path])) Add(file);
        }

        if (_recipe.Tokens is { } tokens) hash.AppendData(Encoding.UTF8.GetBytes(Tokenizer.FileSha256(tokens.Tokenizer) ?? ""));
        return JsonSerializer.Serialize(new { format = 1, inputs_sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()), recipe = _recipe.ToJson() });

        void Add(InputFile file) =>
            hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{file.Id}\0{file.Bytes}\0{File.GetLastWriteTimeUtc(file.Path).Ticks}\0")));
    }

    private void Publish(WorkFolder work, int readTasks, IReadOnlyList<string> keyed, IReadOnlyList<string> finished, TokenStages? tokens, CancellationToken cancellation)
    {
        var publication = new Publication(_recipe, _folder, work);
        string[] read = [.. Enumerable.Range(0, readTasks).Select(i => work.Of(ReadStage.Name, i))];
        publication.Join(read, ReadStage.Problems);
        publication.Join([.. keyed, .. finished], Publication.Removed);
        publication.WriteSamples([.. keyed, .. finished]);
        publication.MoveExports([.. read, .. keyed, .. finished]);
        if (_recipe.Documents) publication.WriteDocuments(finished, cancellation);
        if (tokens is not null) publication.WriteShards(_recipe.Tokens!, tokens, _encoder!, finished, cancellation);
        List<string> stages = [.. DocumentSteps.StagesOf(_recipe)];
        if (tokens is not null) stages.AddRange([TokenStages.Tokenize, TokenStages.Pack]);
        publication.Complete(stages);
    }
}
