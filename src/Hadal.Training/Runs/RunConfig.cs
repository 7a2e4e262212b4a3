using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Hadal.Model.Configuration;
using Hadal.Training.Activations;
using Hadal.Training.Balance;
using Hadal.Training.Optimization;
using Hadal.Training.Precision;

namespace Hadal.Training.Runs;

/// <summary>A training run as a file: what is trained, on what, for how long.</summary>
/// <remarks>Unknown fields are refused: a misspelt setting that is silently ignored costs a run.</remarks>
public sealed record RunConfig
{
    // Counts of tokens up to here are exact as doubles.
    private const double MostTokens = 9e15;

    // By reflection: code that is generated for it would set what a file leaves out to zero instead of the values below.
    private static readonly JsonSerializerOptions _json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>The model: a configuration as in <c>config.json</c>. May be left out beside <see cref="StartFrom"/>, whose own is taken.</summary>
    [JsonPropertyName("model")]
    public JsonObject Model { get; init; } = [];

    /// <summary>A <c>tokenizer.json</c> or a folder with one; relative to the run file. May be left out beside <see cref="StartFrom"/>, whose own is taken.</summary>
    [JsonPropertyName("tokenizer")]
    public string Tokenizer { get; init; } = "";

    /// <summary>
    /// Files and folders of text; relative to the run file. The name <c>dotnet-documentation</c> stands for the .NET SDK's own documentation. Or one dataset of token
    /// shards: the folder that <c>hadal data build</c> wrote.
    /// </summary>
    [JsonPropertyName("data")]
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>
    /// Shares of the groups of a dataset in the rows of the run, as weights (≥ 0, in proportion to each other; a group that is left out has 0); left out: every row once an
    /// epoch, so that a group counts as much as it has.
    /// </summary>
    [JsonPropertyName("data_weights")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, double>? DataWeights { get; init; }

    /// <summary>
    /// Whether attention stays inside the documents of a dataset, and no document's first token is predicted from the document before; otherwise documents that share a row see
    /// each other, as in pre-training (report section 4.1). For text that is no dataset there is no mask.
    /// </summary>
    [JsonPropertyName("document_mask")]
    public bool DocumentMask { get; init; }

    /// <summary>
    /// A Hugging Face folder (or a GGUF file) whose weights and router biases the run starts from instead of fresh ones; relative to the run file; null for fresh ones. MTP
    /// modules that it lacks are fresh. The moments start at 0.
    /// </summary>
    [JsonPropertyName("start_from")]
    public string? StartFrom { get; init; }

    /// <summary>
    /// Parameters that stay as they are, by their checkpoint names; <c>*</c> stands for any characters (<c>model.layers.*.mlp.experts.*</c>). They get no update and no
    /// decay, their moments stay, and their gradients do not count in the norm; router biases (<c>*.e_score_correction_bias</c>) do not move.
    /// </summary>
    [JsonPropertyName("freeze")]
    public IReadOnlyList<string> Freeze { get; init; } = [];

    /// <summary>
    /// Share of the documents that is held back for validation, 0 to 0.5. Of a dataset with a group <c>validation</c> that group is taken, unless the share is 0; of another
    /// one this share of the rows of each group.
    /// </summary>
    [JsonPropertyName("validation_share")]
    public double ValidationShare { get; init; } = 0.02;

    /// <summary>Decides which documents are held back; left out: <see cref="Seed"/>. With one of its own, runs of several seeds are validated on the same text.</summary>
    [JsonPropertyName("split_seed")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ulong? SplitSeed { get; init; }

    /// <summary>Optimizer steps.</summary>
    [JsonPropertyName("steps")]
    public int Steps { get; init; }

    /// <summary>Steps between checkpoints; 0 for none before the end.</summary>
    [JsonPropertyName("checkpoint_every")]
    public int CheckpointEvery { get; init; }

    /// <summary>Checkpoints kept; older ones are deleted.</summary>
    [JsonPropertyName("keep_checkpoints")]
    public int KeepCheckpoints { get; init; } = 2;

    /// <summary>Seed of the fresh weights and of the order of the data.</summary>
    [JsonPropertyName("seed")]
    public ulong Seed { get; init; } = 1;

    /// <summary>Predicted tokens of a sequence, L.</summary>
    [JsonPropertyName("sequence_length")]
    public int SequenceLength { get; init; } = 4096;

    /// <summary>Sequences of a step (the global batch).</summary>
    [JsonPropertyName("batch_sequences")]
    public int BatchSequences { get; init; } = 8;

    /// <summary>Sequences computed at a time; divides <see cref="BatchSequences"/>.</summary>
    [JsonPropertyName("micro_batch_sequences")]
    public int MicroBatchSequences { get; init; } = 1;

    /// <summary>A batch that grows to <see cref="BatchSequences"/>; null for one size from the first step on.</summary>
    [JsonPropertyName("batch_ramp")]
    public BatchRamp? BatchRamp { get; init; }

    /// <summary>How precise products are: the word of a <see cref="PrecisionPolicy"/>.</summary>
    [JsonPropertyName("precision")]
    public string Precision { get; init; } = PrecisionPolicy.Full.Name;

    /// <summary>How the run is cut over several ranks; null for one.</summary>
    [JsonPropertyName("parallel")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ParallelSettings? Parallel { get; init; }

    /// <summary>What layers compute again in the backward instead of keeping it; the numbers of a run do not depend on it.</summary>
    [JsonPropertyName("recompute")]
    public IReadOnlyList<RecomputeRule> Recompute { get; init; } = [];

    /// <summary>Optimizer and schedule.</summary>
    [JsonPropertyName("optimizer")]
    public OptimizerSettings Optimizer { get; init; } = new();

    /// <summary>
    /// Decay of an exponential moving average of the weights, 0 to below 1 (the report does not say which it had; 0.999 forgets half of a weight in 700 steps); 0 for
    /// no average. It is kept in host memory, updated beside the next step, and written as <c>model-ema/</c>.
    /// </summary>
    [JsonPropertyName("ema_decay")]
    public double EmaDecay { get; init; }

    /// <summary>λ, the weight of the multi-token prediction loss.</summary>
    [JsonPropertyName("mtp_weight")]
    public double MtpWeight { get; init; } = 0.3;

    /// <summary>Other values of λ later in the run, in order (the report: 0.1 from 10T tokens on).</summary>
    [JsonPropertyName("mtp_weight_changes")]
    public IReadOnlyList<ValueChange> MtpWeightChanges { get; init; } = [];

    /// <summary>
    /// How experts are kept evenly loaded: <c>bias</c> (the report: router biases, and a sequence-wise loss of small weight), <c>sequence_loss</c> or <c>batch_loss</c>
    /// (report section 4.5.3; an auxiliary loss alone, usually with a <see cref="BalanceWeight"/> of 0.001 or more), or <c>none</c>. The batch of <c>batch_loss</c>
    /// is the global batch as far as it has been computed: an expert's share of the tokens counts all micro-batches of the step up to the one in hand.
    /// </summary>
    [JsonPropertyName("balance")]
    public string Balance { get; init; } = BalancePolicy.Bias.Name;

    /// <summary>α, the weight of the balance loss; without effect for <c>none</c>.</summary>
    [JsonPropertyName("balance_weight")]
    public double BalanceWeight { get; init; } = 1e-4;

    /// <summary>γ, the step of the router biases; without effect unless <see cref="Balance"/> is <c>bias</c>.</summary>
    [JsonPropertyName("bias_update_rate")]
    public double BiasUpdateRate { get; init; } = 1e-3;

    /// <summary>Other values of γ later in the run, in order (the report: 0 from 14.3T tokens on).</summary>
    [JsonPropertyName("bias_update_rate_changes")]
    public IReadOnlyList<ValueChange> BiasUpdateRateChanges { get; init; } = [];

    /// <summary>
    /// What to do when a loss or gradient is not finite, or a gradient norm is a spike: <c>skip</c> throws the step's gradients away, <c>rewind</c> goes back to the
    /// newest checkpoint and leaves out the batches since then (without a checkpoint it skips), <c>stop</c> ends the run with a checkpoint of the step before.
    /// </summary>
    [JsonPropertyName("on_spike")]
    public string OnSpike { get; init; } = "skip";

    /// <summary>A gradient norm above this many times the running median is a spike; 0 looks only for numbers that are not finite.</summary>
    [JsonPropertyName("spike_factor")]
    public double SpikeFactor { get; init; }

    /// <summary>Gradient norms that the running median is of; before there are so many, none is a spike.</summary>
    [JsonPropertyName("spike_window")]
    public int SpikeWindow { get; init; } = 100;

    /// <summary>Skips in a row, or rewinds in all, behind which the run stops.</summary>
    [JsonPropertyName("spike_limit")]
    public int SpikeLimit { get; init; } = 10;

    /// <summary>Steps between validations; 0 for one at the end.</summary>
    [JsonPropertyName("validate_every")]
    public int ValidateEvery { get; init; }

    /// <summary>Validation sequences looked at; 0 for all.</summary>
    [JsonPropertyName("validation_sequences")]
    public int ValidationSequences { get; init; } = 64;

    /// <summary>Type of the weights in the written model: <c>float32</c> or <c>bfloat16</c>.</summary>
    [JsonPropertyName("save_dtype")]
    public string SaveDType { get; init; } = "float32";

    /// <summary>Tokens of a step with the full batch.</summary>
    [JsonIgnore]
    public long TokensPerStep => (long)BatchSequences * SequenceLength;

    /// <summary>Tokens of the first steps together, with the batch ramp if there is one.</summary>
    /// <param name="steps">How many; at least 0.</param>
    /// <returns>Tokens.</returns>
    public long TokensAfter(int steps) => new BatchSchedule(this).TokensBefore(steps + 1L);

    /// <summary>Tokens of the whole run.</summary>
    [JsonIgnore]
    public long Tokens => TokensAfter(Steps);

    /// <summary>Reads and checks a run file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The run.</returns>
    /// <exception cref="ConfigException">The file is missing, not JSON, or has a wrong field.</exception>
    public static RunConfig Load(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException(path, null, $"the run file cannot be read ({e.Message.TrimEnd('.')})", e);
        }

        return Parse(bytes, path);
    }

    /// <summary>Reads and checks a run file's contents.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <returns>The run.</returns>
    /// <exception cref="ConfigException">Not JSON, or a wrong field.</exception>
    public static RunConfig Parse(ReadOnlySpan<byte> json, string name)
    {
        try
        {
            var config = JsonSerializer.Deserialize<RunConfig>(json, _json)
                ?? throw new ConfigException(name, null, "the run file is empty; it has to be one JSON object");
            config.Validate(name);
            return config;
        }
        catch (JsonException e)
        {
            string place = e.Path is null or "$" ? $"line {e.LineNumber + 1}" : $"field {e.Path.TrimStart('$', '.')}, line {e.LineNumber + 1}";
            throw new ConfigException(name, e.Path, $"the run file cannot be understood ({place}): {FirstSentence(e.Message)}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new ConfigException(name, null, "the run file has a name or text that is not valid Unicode, or a name twice", e);
        }
    }

    /// <summary>The model of the run.</summary>
    /// <param name="name">What to call the run in messages.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="ConfigException"><see cref="Model"/> is no configuration.</exception>
    public ModelConfig ReadModel(string name) => ModelConfig.Parse(Encoding.UTF8.GetBytes(Model.ToJsonString()), $"{name}, model");

    /// <summary>The run file's text.</summary>
    /// <returns>Indented JSON.</returns>
    public string ToJson() => JsonSerializer.Serialize(this, _json) + "\n";

    /// <summary>Checks every field.</summary>
    /// <param name="name">What to call the file in messages.</param>
    /// <exception cref="ConfigException">A field is out of range.</exception>
    public void Validate(string name)
    {
        Check(StartFrom is null or { Length: > 0 }, "start_from", "has to name a model folder; null for fresh weights");
        Check(Model is { Count: > 0 } || (Model is not null && StartFrom is not null), "model", "has to be a model configuration, as in config.json, or left out beside start_from");
        Check(Freeze is not null && Freeze.All(p => !string.IsNullOrEmpty(p)), "freeze", "has to be a list of name patterns; [] for none");
        Check(!string.IsNullOrEmpty(Tokenizer) || (Tokenizer is not null && StartFrom is not null), "tokenizer", "has to name a tokenizer.json or a folder with one");
        Check(Data is { Count: > 0 } && Data.All(d => !string.IsNullOrEmpty(d)), "data", "has to list at least one file or folder of text");
        Check(DataWeights is null || (DataWeights.Values.All(w => w is >= 0 and <= 1e9) && DataWeights.Values.Any(w => w > 0)), "data_weights", "has to give weights of 0 or more, one of them above 0");
        Check(Steps is >= 1 and <= 100_000_000, "steps", "has to be 1 to 100,000,000");
        Check(CheckpointEvery >= 0, "checkpoint_every", "cannot be negative");
        Check(KeepCheckpoints >= 1, "keep_checkpoints", "has to be at least 1");
        Check(SequenceLength is >= 2 and <= 1 << 20, "sequence_length", "has to be 2 to 1,048,576");
        Check(BatchSequences is >= 1 and <= 1 << 20, "batch_sequences", "has to be 1 to 1,048,576");
        Check(MicroBatchSequences >= 1 && BatchSequences % MicroBatchSequences == 0, "micro_batch_sequences", $"has to divide batch_sequences ({BatchSequences})");
        Check((long)MicroBatchSequences * SequenceLength <= 1 << 24, "micro_batch_sequences", "times sequence_length has to stay below 16,777,216 tokens");
        Check((double)Steps * BatchSequences * SequenceLength <= MostTokens, "steps", "times batch_sequences times sequence_length has to stay below 9e15 tokens");
        if (BatchRamp is { } ramp)
        {
            Check(ramp.StartSequences >= 1 && ramp.StartSequences <= BatchSequences && ramp.StartSequences % MicroBatchSequences == 0,
                "batch_ramp.start_sequences", $"is {ramp.StartSequences}, but has to be a multiple of micro_batch_sequences ({MicroBatchSequences}), at most batch_sequences ({BatchSequences})");
            Check(ramp.Tokens is >= 1 and <= MostTokens && ramp.Tokens % 1 == 0, "batch_ramp.tokens", "has to be a whole number of tokens from 1 to 9e15");
        }

        Check(ValidationShare is >= 0 and <= 0.5, "validation_share", "has to be 0 to 0.5");
        Check(ValidateEvery >= 0 && ValidationSequences >= 0, "validate_every", "and validation_sequences cannot be negative");
        Check(BalancePolicy.Find(Balance) is not null, "balance", $"has to be one of {string.Join(", ", BalancePolicy.Names)}");
        Check(EmaDecay is >= 0 and < 1, "ema_decay", "has to be 0 for no average, or below 1");
        CheckWeight(MtpWeight, "mtp_weight");
        CheckWeight(BalanceWeight, "balance_weight");
        CheckWeight(BiasUpdateRate, "bias_update_rate");
        CheckChanges(MtpWeightChanges, "mtp_weight_changes", 0, 1e3);
        CheckChanges(BiasUpdateRateChanges, "bias_update_rate_changes", 0, 1e3);
        Check(SaveDType is "float32" or "bfloat16", "save_dtype", "has to be float32 or bfloat16");
        Check(PrecisionPolicy.Find(Precision) is not null, "precision", $"is \"{Precision}\", but has to be one of {string.Join(", ", PrecisionPolicy.All.Select(p => p.Name))}");
        Check(Recompute is not null && Recompute.All(r => r is not null), "recompute", "has to be a list of rules");
        if (Recompute!.Select(r => r.Complaint(int.MaxValue)).FirstOrDefault(c => c is not null) is { } complaint) Check(false, "recompute", complaint);
        if (Parallel is { } p)
        {
            Check(p.Pipeline is >= 1 and <= 1 << 16 && p.Experts is >= 1 and <= 1 << 16 && p.Data is >= 1 and <= 1 << 16 && (double)p.Pipeline * p.Experts * p.Data <= 1 << 20,
                "parallel.pipeline", "and experts and data have to be 1 or more, and their product at most 1,048,576");
            Check(p.Schedule is "1f1b" or "zb1p" or "dualpipe" or "dualpipev", "parallel.schedule", $"is \"{p.Schedule}\", but has to be 1f1b, zb1p, dualpipe or dualpipev");
            Check(p.RanksPerNode >= 0, "parallel.ranks_per_node", "has to be 1 or more, or 0 for all ranks that share experts");
            Check(p.Dispatch is "fp32" or "bf16" or "fp8", "parallel.dispatch", $"is \"{p.Dispatch}\", but has to be fp32, bf16 or fp8");
            Check(p.Combine is "fp32" or "bf16", "parallel.combine", $"is \"{p.Combine}\", but has to be fp32 or bf16");
            Check(p.StageLayers is not null, "parallel.stage_layers", "has to be a list of layer counts; [] to share them out evenly");
        }

        Check(OnSpike is "skip" or "rewind" or "stop", "on_spike", "has to be skip, rewind or stop");
        Check(OnSpike != "rewind" || CheckpointEvery > 0, "on_spike", "can be rewind only with checkpoint_every above 0");
        Check(SpikeFactor is 0 or (> 1 and <= 1e9), "spike_factor", "has to be above 1, or 0 to look only for numbers that are not finite");
        Check(SpikeWindow is >= 1 and <= 100_000, "spike_window", "has to be 1 to 100,000");
        Check(SpikeLimit is >= 1 and <= 1_000_000, "spike_limit", "has to be 1 to 1,000,000");
        Check(Optimizer is not null, "optimizer", "has to be an object");
        var o = Optimizer!;
        Check(o.LearningRate is > 0 and <= 10 && o.FinalLearningRate >= 0 && o.FinalLearningRate <= o.LearningRate, "optimizer.learning_rate", "has to be above 0, and final_learning_rate between 0 and it");
        Check(o.Moments is null or "float32" or "bfloat16", "optimizer.moments", "has to be float32, bfloat16, or left out");
        Check(o.WarmupSteps >= 0, "optimizer.warmup_steps", "cannot be negative");
        Check(o.DecayStart is >= 0 and <= MostTokens && o.DecayEnd is >= 0 and <= MostTokens && (o.DecayEnd >= o.DecayStart || (o.DecayStart <= 1) != (o.DecayEnd <= 1)), "optimizer.decay_start",
            "and decay_end have to be in order; each is a share of the run (up to 1) or a number of tokens (above 1)");
        CheckChanges(o.LearningRateChanges, "optimizer.learning_rate_changes", o.DecayEnd, 10);
        Check(o.Beta1 is >= 0 and < 1 && o.Beta2 is >= 0 and < 1, "optimizer.beta1", "and beta2 have to be 0 or more and below 1");
        Check(o.Epsilon is > 0 and < 1, "optimizer.epsilon", "has to be between 0 and 1");
        Check(o.WeightDecay is >= 0 and <= 10 && o.ClipNorm is >= 0 and <= 1e6, "optimizer.weight_decay", "and clip_norm have to be 0 or more and of a sensible size");

        void Check(bool condition, string field, string what)
        {
            if (!condition) throw new ConfigException(name, field, $"{field} {what}");
        }

        // Shares and numbers of tokens can be put in order only among themselves.
        void CheckChanges(IReadOnlyList<ValueChange> changes, string field, double first, double largest)
        {
            Check(changes is not null && changes.All(c => c is not null), field, "has to be a list of {\"from\": …, \"value\": …}; [] for no changes");
            foreach (var change in changes!)
            {
                Check(change.From is >= 0 and <= MostTokens && (change.From >= first || (change.From <= 1) != (first <= 1)), field,
                    "have to come in order, those of the learning rate behind decay_end; from is a share of the run (up to 1) or a number of tokens (above 1)");
                Check(change.Value >= 0 && change.Value <= largest, field, $"have a value that is not 0 to {largest.ToString(CultureInfo.InvariantCulture)}");
                first = change.From;
            }
        }

        void CheckWeight(double value, string field) => Check(value is >= 0 and <= 1e3, field, "has to be 0 to 1,000");
    }

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(" Path:", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).TrimEnd('.');
    }
}
