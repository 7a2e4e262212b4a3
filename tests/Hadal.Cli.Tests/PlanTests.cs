using System.Text.Json;

namespace Hadal.Cli.Tests;

public sealed class PlanTests : IDisposable
{
    private const string Small = """{ "kind": "training", "layout": { "devices": 512, "pipeline": 16, "experts": 32, "recompute": "layers" }, "batch_sequences": 2048, "tokens": 1e12 }""";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_training_preset_gives_the_published_cost_as_JSON()
    {
        var plan = CliRun.Of("plan", "--preset", "v3-h800", "--json").Json();
        double Of(string name) => plan.GetProperty(name).GetDouble();
        Assert.Equal(180e3, Of("gpu_hours_per_trillion_tokens"), 9e3);
        Assert.Equal(2.788e6, Of("gpu_hours"), 0.05 * 2.788e6);
        Assert.Equal(5.576e6, Of("dollars"), 0.05 * 5.576e6);
        Assert.Equal(0.389, Of("mfu"), 0.015);
        Assert.Equal(0.033, Of("exposed_communication_fraction"), 0.0015);
        Assert.InRange(Of("bubble_fraction"), 0.08, 0.13);
        Assert.Equal(Of("memory_bytes"), plan.GetProperty("memory_bytes_per_device").EnumerateObject().Sum(p => p.Value.GetDouble()), 1);
        Assert.All(plan.GetProperty("assumptions").EnumerateArray(), a => Assert.NotEmpty(a.GetProperty("source").GetString()!));
        Assert.Equal(15, plan.GetProperty("published").GetArrayLength());
    }

    [Fact]
    public void The_serving_preset_gives_rates_and_the_limit_as_JSON()
    {
        var plan = CliRun.Of("plan", "--preset", "v3-serving", "--json").Json();
        Assert.Equal(67, plan.GetProperty("decode_limit_tokens_per_second").GetDouble(), 1.0);
        Assert.True(plan.GetProperty("prefill_tokens_per_second_per_node").GetDouble() > plan.GetProperty("decode_tokens_per_second_per_node").GetDouble());
        Assert.NotEmpty(plan.GetProperty("assumptions").EnumerateArray());
    }

    [Fact]
    public void A_plan_of_ones_own_is_shown_drawn_and_kept_as_a_trace()
    {
        string file = _folder.Write("plan.json", Small);
        var run = CliRun.Of("plan", file, "--view", _folder.File("step.html"), "--save-trace", _folder.File("step.json"));
        Assert.Equal(0, run.Code);
        foreach (string part in (string[])["512 h800", "bubble:", "exposed communication:", "MFU:", "price:", "memory:", "What it rests on", "a tenth more: +3."]) Assert.Contains(part, run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("published", run.Out[..run.Out.IndexOf("What it rests on", StringComparison.Ordinal)], StringComparison.Ordinal);
        Assert.Contains("DualPipe, 16 ranks, 64 micro-batches", File.ReadAllText(_folder.File("step.html")), StringComparison.Ordinal);

        // What was kept can be drawn again, with the same step.
        double step = CliRun.Of("plan", file, "--json").Json() is var plan ? plan.GetProperty("step_seconds").GetDouble() - plan.GetProperty("step_end_seconds").GetDouble() : 0;
        var drawn = CliRun.Of("plan", "--trace", _folder.File("step.json"), "--view", _folder.File("again.html"), "--json").Json();
        Assert.Equal(step, drawn.GetProperty("seconds").GetDouble(), 1e-6);
        Assert.Equal(plan.GetProperty("bubble_fraction").GetDouble(), drawn.GetProperty("bubble_fraction").GetDouble(), 1e-6);
        Assert.True(File.Exists(_folder.File("again.html")));
    }

    [Fact]
    public void A_page_alone_shows_the_training_preset()
    {
        var run = CliRun.Of("plan", "--view", _folder.File("schedule.html"));
        Assert.Equal(0, run.Code);
        Assert.Contains("v3-h800 is drawn", run.Error, StringComparison.Ordinal);
        Assert.Contains("DualPipe, 16 ranks, 120 micro-batches", File.ReadAllText(_folder.File("schedule.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_search_proposes_layouts_and_says_why_others_fall(bool terminal)
    {
        string file = _folder.Write("plan.json", Small);
        string[] arguments = ["plan", file, "--search", "--proposals", "2"];
        string text = (terminal ? CliRun.OnTerminal(false, "", arguments) : CliRun.Of(arguments)).Out;
        Assert.Contains("layouts fit; the fastest:", text, StringComparison.Ordinal);
        Assert.Contains("too little memory. The nearest (", text, StringComparison.Ordinal);
        if (terminal) return;
        var proposal = CliRun.Of([.. arguments, "--json"]).Json();
        Assert.Equal(2, proposal.GetProperty("layouts").GetArrayLength());

        // A proposed layout is one that a plan can name.
        string layout = proposal.GetProperty("layouts")[0].GetProperty("layout").GetRawText();
        string named = _folder.Write("named.json", $$"""{ "layout": {{layout}}, "batch_sequences": 2048, "tokens": 1e12 }""");
        Assert.Equal(proposal.GetProperty("layouts")[0].GetProperty("step_seconds").GetDouble(), CliRun.Of("plan", named, "--json").Json().GetProperty("step_seconds").GetDouble(), 1e-9);
    }

    [Fact]
    public void Tables_are_drawn_on_a_terminal()
    {
        string serving = CliRun.OnTerminal(true, "", "plan", "--preset", "v3-serving").Out, training = CliRun.OnTerminal(false, "", "plan", "--preset", "v3-h800").Out;
        foreach (string word in (string[])["beside", "FlashMLA", "66.2", "−1.2%"]) Assert.Contains(word, serving, StringComparison.Ordinal);
        foreach (string word in (string[])["beside", "+3.4%", "39.8%", "19.93 s"]) Assert.Contains(word, training, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_are_said_in_one_sentence()
    {
        string file = _folder.Write("plan.json", """{ "layout": { "pipeline": 24 } }""");
        Assert.Contains("layout.pipeline has to divide layout.devices", CliRun.Of("plan", file).Refusal(), StringComparison.Ordinal);
        Assert.Contains("give a PLAN, or --preset", CliRun.Of("plan").Refusal(), StringComparison.Ordinal);
        Assert.Contains("is no preset", CliRun.Of("plan", "--preset", "v4").Refusal(), StringComparison.Ordinal);
        Assert.Contains("one of them can be planned", CliRun.Of("plan", file, "--preset", "v3-h800").Refusal(), StringComparison.Ordinal);
        Assert.Contains("There is no file", CliRun.Of("plan", "nowhere.json").Refusal(), StringComparison.Ordinal);
        Assert.Contains("goes with --view", CliRun.Of("plan", "--trace", file).Refusal(), StringComparison.Ordinal);
        Assert.Contains("no array of events", CliRun.Of("plan", "--trace", file, "--view", _folder.File("x.html")).Refusal(), StringComparison.Ordinal);
        Assert.Contains("this one is of serving", CliRun.Of("plan", "--preset", "v3-serving", "--search").Refusal(), StringComparison.Ordinal);
        Assert.Contains("--search draws no timeline", CliRun.Of("plan", "--preset", "v3-h800", "--search", "--view", _folder.File("x.html")).Refusal(), StringComparison.Ordinal);
        string large = _folder.Write("large.json", """{ "cluster": { "memory_bytes": 24e9 } }""");
        Assert.Contains("would need 72.4 GB, but has 24.0 GB", CliRun.Of("plan", large).Refusal(), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.File("x.html")));
    }

    [Fact]
    public void Cost_grows_with_the_price_and_nothing_else_changes()
    {
        string file = _folder.Write("plan.json", """{ "cluster": { "dollars_per_device_hour": 4 }, "tokens": 14.8e12 }""");
        JsonElement plan = CliRun.Of("plan", file, "--json").Json(), preset = CliRun.Of("plan", "--preset", "v3-h800", "--json").Json();
        Assert.Equal(preset.GetProperty("gpu_hours_training").GetDouble(), plan.GetProperty("gpu_hours_training").GetDouble(), 1e-3);
        Assert.Equal(4 * plan.GetProperty("gpu_hours").GetDouble(), plan.GetProperty("dollars").GetDouble(), 1e-3);
    }
}
