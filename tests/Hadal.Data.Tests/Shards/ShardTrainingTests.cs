using System.Text.Json.Nodes;
using Hadal.Data.Shards;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Training.Optimization;
using Hadal.Training.Runs;

namespace Hadal.Data.Tests.Shards;

/// <summary>Whole runs over shards.</summary>
public sealed class ShardTrainingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ShardTrainingTests() => ShardSamples.Write(Shards, vocabulary: 61);

    public void Dispose() => _folder.Dispose();

    private string Shards => _folder.File("shards");

    private static ModelConfig Model { get; } = ModelConfig.Parse("""
        {
          "model_type": "deepseek_v3", "hidden_size": 16, "num_hidden_layers": 2, "first_k_dense_replace": 1, "num_attention_heads": 2,
          "q_lora_rank": 8, "kv_lora_rank": 8, "qk_nope_head_dim": 8, "qk_rope_head_dim": 4, "v_head_dim": 8, "n_routed_experts": 4,
          "num_experts_per_tok": 2, "n_group": 1, "topk_group": 1, "n_shared_experts": 1, "moe_intermediate_size": 8, "intermediate_size": 16,
          "vocab_size": 61, "max_position_embeddings": 64, "num_nextn_predict_layers": 1, "bos_token_id": 0, "eos_token_id": 1
        }
        """u8, "model");

    private RunConfig Config { get; } = new()
    {
        Model = (JsonObject)JsonNode.Parse(Model.ToJson())!,
        Tokenizer = "tokenizer.json",
        Data = ["shards"],
        Steps = 16,
        Seed = 7,
        SequenceLength = 16,
        BatchSequences = 4,
        MicroBatchSequences = 2,
        BatchRamp = new(2, 100),
        DocumentMask = true,
        Optimizer = new OptimizerSettings { LearningRate = 1e-2, FinalLearningRate = 1e-2, WarmupSteps = 2 },
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_that_is_stopped_and_taken_up_again_gives_the_numbers_of_one_that_is_not(bool mask)
    {
        var whole = Run(Config with { DocumentMask = mask }, "whole", stopAfter: 0);
        Assert.Equal(16, whole.Count);
        Assert.True(whole[^1].Main < whole[0].Main, "a run of 16 steps should learn something");
        Assert.True(whole[^1].Validation > 0);
        var parts = Run(Config with { DocumentMask = mask }, "parts", stopAfter: 3);
        Assert.Equal(3, parts.Count);
        Assert.Equal(whole, [.. parts, .. Run(Config with { DocumentMask = mask }, "parts", stopAfter: 0)]);
        Assert.Equal(File.ReadAllBytes(_folder.File("whole", "model", "model.safetensors")), File.ReadAllBytes(_folder.File("parts", "model", "model.safetensors")));
    }

    [Fact]
    public void Loss_is_a_mean_over_tokens_and_not_over_padding()
    {
        // One document of 4 tokens in a row of 16: the loss of a fresh model is near the entropy of a uniform guess, not a quarter of it.
        using (var writer = new TokenShardWriter(Shards, new TokenShardOptions { RowTokens = 16, VocabularySize = 61, EndId = 1 }))
        {
            for (int i = 0; i < 4; i++) writer.AddRow("web", [new RowPiece(writer.AddDocument($"{i}", "web"), 0, 0, 0, 4)], [5 + i, 20 + i, 30, 1]);
            writer.Complete();
        }

        var (_, main, _) = Run(Config with { Steps = 1, ValidationShare = 0, BatchRamp = null }, "run", stopAfter: 0)[0];
        Assert.Equal(Math.Log(61), main, 0.2);
    }

    [Fact]
    public void A_run_whose_shard_vanishes_keeps_a_checkpoint_and_goes_on_when_it_is_back()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows keeps mapped files.");
        var whole = Run(Config, "whole", stopAfter: 0);
        string[] files = Directory.GetFiles(Shards, "*.tokens");
        var e = Assert.Throws<TrainingException>(() => Run(Config, "run", stopAfter: 0, step =>
        {
            if (step != 4) return;
            foreach (string file in files) File.Move(file, file + ".away");
        }));
        Assert.Contains("is gone", e.Message, StringComparison.Ordinal);
        Assert.Contains("A checkpoint of step 4", e.Message, StringComparison.Ordinal);
        Assert.Throws<DataException>(() => TokenShards.Open(Shards));
        foreach (string file in files) File.Move(file + ".away", file);
        Assert.Equal(whole[4..], Run(Config, "run", stopAfter: 0));
    }

    [Fact]
    public void A_run_does_not_go_on_over_a_dataset_that_was_built_anew_with_other_rows_but_does_over_the_same_rows()
    {
        var whole = Run(Config, "whole", stopAfter: 0);
        Run(Config, "run", stopAfter: 3);
        ShardSamples.Write(Shards, vocabulary: 61, documents: 59);
        Assert.Contains("over other data", Assert.Throws<TrainingException>(() => Run(Config, "run", stopAfter: 0)).Message, StringComparison.Ordinal);
        ShardSamples.Write(Shards, vocabulary: 61);
        Assert.Equal(whole[3..], Run(Config, "run", stopAfter: 0));
    }

    private List<(double Loss, double Main, double? Validation)> Run(RunConfig run, string name, int stopAfter, Action<int>? behind = null)
    {
        using var shards = TokenShards.Open(Shards);
        var options = new ShardBatchOptions
        {
            SequenceLength = run.SequenceLength,
            BatchSequences = run.BatchSequences,
            MicroBatchSequences = run.MicroBatchSequences,
            Seed = run.Seed,
            ValidationShare = run.ValidationShare * 10,
            MaskDocuments = run.DocumentMask,
        };
        using var batches = new ShardBatches(shards, options);
        var validation = run.ValidationShare == 0 ? null : new ShardValidation(shards, options, 4);
        using var backend = new CpuBackend(1);
        using var training = new TrainingRun(run, Model, _folder.File(name), backend, batches, validation, 2, []);
        var seen = new List<(double, double, double?)>();
        training.Resume();
        using var stop = new CancellationTokenSource();
        try
        {
            training.Run(
                step =>
                {
                    seen.Add((step.Loss, step.MainLoss, step.ValidationLoss));
                    behind?.Invoke(step.Step);
                    if (step.Step == stopAfter) stop.Cancel();
                },
                stop.Token);
        }
        catch (OperationCanceledException) when (stopAfter > 0)
        {
        }

        return seen;
    }
}
