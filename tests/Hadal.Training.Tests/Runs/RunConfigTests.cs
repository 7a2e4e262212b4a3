using System.Text;
using Hadal.Model.Configuration;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Runs;

public class RunConfigTests
{
    [Fact]
    public void A_run_file_reads_back_as_it_was_written()
    {
        var read = RunConfig.Parse(Encoding.UTF8.GetBytes(TinyRun.Run.ToJson()), "run.json");
        Assert.Equal(TinyRun.Run.ToJson(), read.ToJson());
        Assert.Equal(TinyRun.Config, ModelConfig.Parse(Encoding.UTF8.GetBytes(read.Model.ToJsonString()), "model"));
    }

    [Theory]
    [InlineData("\"steps\": 6", "\"steps\": 0", "steps has to be")]
    [InlineData("\"steps\": 6", "\"stepz\": 6", "stepz")]
    [InlineData("\"steps\": 6", "\"steps\": \"six\"", "steps")]
    [InlineData("\"micro_batch_sequences\": 2", "\"micro_batch_sequences\": 3", "divide batch_sequences (4)")]
    [InlineData("\"save_dtype\": \"float32\"", "\"save_dtype\": \"int4\"", "float32 or bfloat16")]
    [InlineData("\"precision\": \"fp32\"", "\"precision\": \"fp4\"", "one of fp32, bf16, fp8")]
    [InlineData("\"balance\": \"bias\"", "\"balance\": \"bais\"", "balance has to be one of bias, sequence_loss, batch_loss, none")]
    [InlineData("\"warmup_steps\": 2", "\"warmup_steps\": -2", "cannot be negative")]
    [InlineData("\"beta1\": 0.9", "\"beta1\": 1", "below 1")]
    [InlineData("\"tokenizer\": \"tokenizer.json\"", "\"tokenizer\": \"\"", "tokenizer.json")]
    [InlineData("\"on_spike\": \"skip\"", "\"on_spike\": \"pray\"", "skip, rewind or stop")]
    [InlineData("\"on_spike\": \"skip\"", "\"on_spike\": \"rewind\"", "only with checkpoint_every above 0")]
    [InlineData("\"spike_factor\": 0", "\"spike_factor\": 0.5", "has to be above 1")]
    [InlineData("\"spike_window\": 100", "\"spike_window\": 0", "1 to 100,000")]
    [InlineData("\"spike_limit\": 10", "\"spike_limit\": 0", "spike_limit")]
    [InlineData("\"batch_ramp\": null", "\"batch_ramp\": {\"start_sequences\": 3, \"tokens\": 5e9}", "batch_ramp.start_sequences is 3, but has to be a multiple of micro_batch_sequences (2)")]
    [InlineData("\"batch_ramp\": null", "\"batch_ramp\": {\"start_sequences\": 2, \"tokens\": 0.5}", "batch_ramp.tokens has to be a whole number")]
    [InlineData("\"batch_ramp\": null", "\"batch_ramp\": {\"start_sequences\": 2}", "tokens")]
    [InlineData("\"mtp_weight_changes\": []", "\"mtp_weight_changes\": [{\"from\": 0.5, \"value\": -1}]", "mtp_weight_changes have a value that is not 0 to")]
    [InlineData("\"mtp_weight_changes\": []", "\"mtp_weight_changes\": null", "mtp_weight_changes has to be a list")]
    [InlineData("\"bias_update_rate_changes\": []", "\"bias_update_rate_changes\": [{\"from\": 0.5, \"value\": 1}, {\"from\": 0.2, \"value\": 0}]", "bias_update_rate_changes have to come in order")]
    [InlineData("\"learning_rate_changes\": []", "\"learning_rate_changes\": [{\"from\": 0.5, \"value\": 1}]", "optimizer.learning_rate_changes have to come in order, those of the learning rate behind decay_end")]
    [InlineData("\"ema_decay\": 0", "\"ema_decay\": 1", "ema_decay has to be 0 for no average, or below 1")]
    [InlineData("{", "[", "cannot be understood")]
    public void A_wrong_field_is_named(string right, string wrong, string message)
    {
        string json = TinyRun.Run.ToJson();
        int at = json.IndexOf(right, StringComparison.Ordinal);
        Assert.True(at >= 0, right);
        json = json[..at] + wrong + json[(at + right.Length)..];
        var e = Assert.Throws<ConfigException>(() => RunConfig.Parse(Encoding.UTF8.GetBytes(json), "run.json"));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.StartsWith("run.json:", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_damaged_run_files_give_a_run_or_a_sentence()
    {
        byte[] sound = Encoding.UTF8.GetBytes(TinyRun.Run.ToJson());
        var random = new Random(20261124);
        int refused = 0;
        for (int i = 0; i < 10_000; i++)
        {
            byte[] mutant = [.. sound];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                int at = random.Next(mutant.Length);
                switch (random.Next(4))
                {
                    case 0: mutant[at] = (byte)random.Next(256); break;
                    case 1: mutant = [.. mutant[..at], .. mutant[Math.Min(mutant.Length, at + random.Next(1, 30))..]]; break;
                    case 2: mutant = [.. mutant[..at], .. "-1e99"u8, .. mutant[at..]]; break;
                    default: mutant = [.. mutant[..at], .. mutant[..Math.Min(40, at)], .. mutant[at..]]; break;
                }

                if (mutant.Length == 0) mutant = [0];
            }

            try
            {
                RunConfig.Parse(mutant, "run.json");
            }
            catch (ConfigException)
            {
                refused++;
            }
        }

        Assert.True(refused > 5_000, $"only {refused} of 10,000 mutants were refused");
    }

    [Fact]
    public void A_new_setting_that_nobody_sets_leaves_runs_what_they_were()
    {
        // The hash of a run as the first version with hashes of this kind wrote it into checkpoints: it may change only with what a run computes.
        Assert.StartsWith("fb2ff9516692a4b9", TrainingRun.Hash(TinyRun.Run), StringComparison.Ordinal);
        Assert.NotEqual(TrainingRun.Hash(TinyRun.Run), TrainingRun.Hash(TinyRun.Run with { BalanceWeight = 2e-4 }));
        Assert.NotEqual(TrainingRun.Hash(TinyRun.Run), TrainingRun.Hash(TinyRun.Run with { Optimizer = TinyRun.Run.Optimizer with { Beta1 = 0.8 } }));
        Assert.NotEqual(TrainingRun.Hash(TinyRun.Run), TrainingRun.Hash(TinyRun.Run with { SplitSeed = 3 }));
    }
}
