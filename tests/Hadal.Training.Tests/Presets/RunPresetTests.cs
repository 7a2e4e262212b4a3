using Hadal.Training.Optimization;
using Hadal.Training.Presets;
using Hadal.Training.Runs;

namespace Hadal.Training.Tests.Presets;

public class RunPresetTests
{
    public static TheoryData<string> Names => [.. RunPreset.All.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_preset_is_a_valid_run_that_reads_back(string name)
    {
        var preset = RunPreset.Find(name)!;
        var run = preset.ToRun(null, [], null);
        preset.Model.Validate();
        Assert.Equal(run.ToJson(), RunConfig.Parse(System.Text.Encoding.UTF8.GetBytes(run.ToJson()), name).ToJson());
    }

    [Fact]
    public void Only_small_presets_take_the_vocabulary_of_the_tokenizer()
    {
        Assert.Equal(777, (int)RunPreset.Tiny.ToRun("t", ["d"], 777).Model["vocab_size"]!);
        Assert.Equal(129280, (int)RunPreset.V3.ToRun("t", ["d"], 777).Model["vocab_size"]!);
    }

    [Fact]
    public void V3_has_the_reports_counts()
    {
        var plan = RunPlan.Of(RunPreset.V3.Recipe, RunPreset.V3.Model);

        // Specification, section 0 and appendix A.
        Assert.Equal(671_026_419_200, RunPreset.V3.Model.ParameterCount);
        Assert.Equal(11.61e9, plan.Parameters - 671_026_419_200, 0.005e9);
        Assert.Equal(36.63e9, plan.ActiveParameters, 0.005e9);
        Assert.Equal(250.45e9, plan.MainFlopsPerToken, 0.01e9);
        Assert.Equal(260.6e9, plan.FlopsPerToken, 0.05e9);
    }

    [Fact]
    public void Small_moe_has_the_reports_15_7_and_2_4_billion()
    {
        // Active with the head, without the embedding.
        var model = RunPreset.SmallMoe.Model;
        Assert.Equal(15.7e9, model.ParameterCount, 0.05e9);
        Assert.Equal(2.4e9, model.ActiveParameterCount, 0.1e9);
        Assert.Equal(1.33e12, RunPreset.SmallMoe.Recipe.Tokens, 0.001e12);
        var o = RunPreset.SmallMoe.Recipe.Optimizer;
        Assert.Equal([4.2e-4, 4.2e-4 * 0.316, 4.2e-4 * 0.316 * 0.316], new double[] { 0.79, 0.85, 0.95 }.Select(s => LearningRateSchedule.At(o, 50_000, new RunPosition((long)(s * 1e12), 1_000_000_000_000))), (a, b) => Math.Abs(a / b - 1) < 1e-3);
    }

    // By hand: a ramp linear in tokens is 3072·e^(kn) sequences behind n steps, k = 12288·4096 / 469e9, so 3419 behind 999 and 15360 behind 14,996; 200,000 steps are then
    // 12.108T tokens, and the cosine is 0.4903 of its way down.
    [Theory]
    [InlineData(1, 3072, 1.1e-7, 0.3, 1e-3)]
    [InlineData(1000, 3419, 1.1e-4, 0.3, 1e-3)]
    [InlineData(100_000, 15360, 2.2e-4, 0.3, 1e-3)]
    [InlineData(200_000, 15360, 1.2401e-4, 0.1, 1e-3)]
    [InlineData(236_000, 15360, 2.2e-5, 0.1, 0)]
    [InlineData(242_000, 15360, 7.3e-6, 0.1, 0)]
    public void V3_follows_the_reports_schedule(int step, int sequences, double rate, double mtpWeight, double biasRate)
    {
        var run = RunPreset.V3.Recipe;
        var schedule = new BatchSchedule(run);
        var position = new RunPosition(schedule.TokensBefore(step), schedule.TokensBefore(run.Steps));
        Assert.Equal(sequences, schedule.Sequences(step), 10d);
        Assert.Equal(rate, LearningRateSchedule.At(run.Optimizer, step, position), rate * 2e-3);
        Assert.Equal(mtpWeight, position.Value(run.MtpWeight, run.MtpWeightChanges));
        Assert.Equal(biasRate, position.Value(run.BiasUpdateRate, run.BiasUpdateRateChanges));
        Assert.InRange(run.Tokens, 14_800_000_000_000, 14_800_063_000_000);
    }
}
