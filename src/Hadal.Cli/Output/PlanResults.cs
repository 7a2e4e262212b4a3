using System.Globalization;
using System.Text.Json.Nodes;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Drawing;
using Hadal.Planning.Plans;
using Hadal.Planning.Serving;
using Hadal.Planning.Training;
using Spectre.Console;

namespace Hadal.Cli.Output;

/// <summary>Forecasts as <c>hadal plan</c> shows them.</summary>
internal static class PlanResults
{
    public static JsonObject ToJson(TrainingForecast f, IReadOnlyList<Assumption> assumptions) => new()
    {
        ["gpu_hours"] = JsonOutput.Number(f.TotalHours),
        ["gpu_hours_training"] = JsonOutput.Number(f.TrainingHours),
        ["gpu_hours_per_trillion_tokens"] = JsonOutput.Number(f.HoursPerTrillionTokens),
        ["dollars"] = JsonOutput.Number(f.Dollars),
        ["days"] = JsonOutput.Number(f.Days),
        ["mfu"] = JsonOutput.Number(f.ModelFlopsUtilization),
        ["flops_per_token"] = JsonOutput.Number(f.OperationsPerToken),
        ["tokens_per_day"] = JsonOutput.Number(f.TokensPerDay),
        ["step_seconds"] = JsonOutput.Number(f.StepSeconds),
        ["step_tokens"] = JsonOutput.Number(f.StepTokens),
        ["step_end_seconds"] = JsonOutput.Number(f.StepEndSeconds),
        ["micro_batches"] = f.Plan.MicroBatches,
        ["bubble_fraction"] = JsonOutput.Number(f.Timeline.BubbleFraction),
        ["exposed_communication_fraction"] = JsonOutput.Number(f.PairExposedFraction),
        ["exposed_communication_fraction_of_step"] = JsonOutput.Number(f.ExposedSeconds / f.StepSeconds),
        ["pair_seconds"] = JsonOutput.Number(f.PairSeconds),
        ["memory_bytes_per_device"] = Memory(f.Memory),
        ["memory_bytes"] = JsonOutput.Number(f.Memory.Total),
        ["memory_bytes_of_ranks"] = new JsonArray([.. f.MemoryOfRanks.Select(m => JsonOutput.Number(m.Total))]),
        ["stage_layers"] = JsonOutput.Array(f.StageLayers),
        ["assumptions"] = new JsonArray([.. assumptions.Select(a => new JsonObject
        {
            ["name"] = a.Name,
            ["value"] = a.Value,
            ["source"] = a.Source,
            ["otherwise"] = a.Otherwise,
            ["hours_change"] = JsonOutput.Number(a.Change),
        })]),
        ["published"] = Published(f.Plan == PlanPresets.V3H800 ? PublishedFigures.OfTraining(f) : []),
    };

    public static JsonObject ToJson(ServingForecast f) => new()
    {
        ["prefill_tokens_per_second_per_node"] = JsonOutput.Number(f.PrefillTokensPerSecondPerNode),
        ["prefill_computed_tokens_per_second_per_node"] = JsonOutput.Number(f.PrefillComputedTokensPerSecondPerNode),
        ["decode_tokens_per_second_per_node"] = JsonOutput.Number(f.DecodeTokensPerSecondPerNode),
        ["decode_limit_tokens_per_second"] = JsonOutput.Number(f.DecodeLimitTokensPerSecond),
        ["decode_requests_per_device"] = f.DecodeRequestsPerDevice,
        ["decode_seconds_per_token"] = JsonOutput.Number(f.SecondsPerToken),
        ["decode_floor_seconds_per_token"] = JsonOutput.Number(f.FloorSecondsPerToken),
        ["cache_tokens_per_device"] = JsonOutput.Number(f.CacheTokensPerDevice),
        ["decode_weight_bytes_per_device"] = JsonOutput.Number(f.DecodeWeightBytes),
        ["prefill_layer_microseconds"] = Layer(f.PrefillLayerMicroseconds),
        ["decode_layer_microseconds"] = Layer(f.DecodeLayerMicroseconds),
        ["assumptions"] = new JsonArray([.. ServingAssumptions.Of(f.Plan).Select(a => new JsonObject { ["name"] = a.Name, ["value"] = a.Value, ["source"] = a.Source })]),
        ["published"] = Published(f.Plan == PlanPresets.V3Serving ? PublishedFigures.OfServing(f) : []),
    };

    public static void Write(CommandContext context, TrainingForecast f, IReadOnlyList<Assumption> assumptions)
    {
        var layout = f.Plan.Layout;
        new FactSheet($"{f.Plan.Name}: {Figures.Whole(layout.Devices)} {f.Plan.Cluster.Name}, {layout.Pipeline} pipeline ranks ({layout.Schedule}), experts over {layout.Experts} devices, {Figures.Whole(layout.DataParallel)} replicas")
            .Add("step", FormattableString.Invariant($"{f.StepSeconds:0.00} s for {f.StepTokens / 1e6:0.0} million tokens in {f.Plan.MicroBatches} micro-batches; gradients and optimizer {f.StepEndSeconds:0.00} s of it"))
            .Add("bubble", $"{Figures.Percent(f.Timeline.BubbleFraction)} of the pipeline's time, waiting for messages included")
            .Add("exposed communication", f.PairSeconds > 0
                ? FormattableString.Invariant($"{Figures.Percent(f.PairExposedFraction)} of an overlapped pair of {f.PairSeconds * 1e3:0.0} ms; {Figures.Percent(f.ExposedSeconds / f.StepSeconds)} of the step, with chunks that run alone")
                : $"{Figures.Percent(f.ExposedSeconds / f.StepSeconds)} of the step")
            .Add("MFU", $"{Figures.Percent(f.ModelFlopsUtilization)} of the BF16 peak, {FormattableString.Invariant($"{f.OperationsPerToken / 1e9:0.0}")} billion operations a token")
            .Add("speed", $"{Figures.Count(f.TokensPerDay)} tokens a day")
            .Add("cost", FormattableString.Invariant($"{f.HoursPerTrillionTokens / 1e3:0.0} thousand device hours for a trillion tokens; {f.TrainingHours / 1e6:0.000} million for {Figures.Count(f.Plan.Tokens)} ({f.Days:0.0} days), {f.TotalHours / 1e6:0.000} million in all"))
            .Add("price", FormattableString.Invariant($"{f.Dollars / 1e6:0.000} million dollars at {f.Plan.Cluster.DollarsPerDeviceHour:0.##} an hour"))
            .Add("memory", $"{Figures.Bytes(f.Memory.Total)} of {Figures.Bytes(f.Plan.Cluster.MemoryBytes)} on the fullest device: {string.Join(", ", f.Memory.Parts().Select(p => $"{p.Name} {Figures.Bytes(p.Bytes)}"))}")
            .Write(context);
        Write(context, assumptions);
        if (f.Plan == PlanPresets.V3H800) Write(context, PublishedFigures.OfTraining(f));
    }

    public static void Write(CommandContext context, ServingForecast f)
    {
        new FactSheet($"{f.Plan.Name}: prompts on units of {f.Plan.Prefill.Devices} {f.Plan.Cluster.Name}, decoding on units of {f.Plan.Decode.Devices}")
            .Add("prompts", $"{Figures.Rate(f.PrefillTokensPerSecondPerNode, "tokens")} on a node, {Figures.Rate(f.PrefillComputedTokensPerSecondPerNode, "tokens")} of them computed")
            .Add("decoding", $"{Figures.Rate(f.DecodeTokensPerSecondPerNode, "tokens")} on a node with {f.DecodeRequestsPerDevice} requests on a device")
            .Add("a request", FormattableString.Invariant($"{1 / f.SecondsPerToken:0.0} tokens/s ({f.SecondsPerToken * 1e3:0.0} ms a token); alone on its device {1 / f.FloorSecondsPerToken:0.0} tokens/s"))
            .Add("limit", FormattableString.Invariant($"{f.DecodeLimitTokensPerSecond:0.0} tokens/s a request if only the network took time"))
            .Add("a layer, prompts", FormattableString.Invariant($"{f.PrefillLayerMicroseconds.Compute:0} µs of compute, {f.PrefillLayerMicroseconds.Movements:0} µs of movements behind it"))
            .Add("a layer, decoding", FormattableString.Invariant($"{f.DecodeLayerMicroseconds.Compute:0} µs of compute, {f.DecodeLayerMicroseconds.Movements:0} µs of movements, for each of two micro-batches"))
            .Add("cache", $"{Figures.Count(f.CacheTokensPerDevice)} tokens on a device, beside {Figures.Bytes(f.DecodeWeightBytes)} of weights")
            .Write(context);
        Write(context, ServingAssumptions.Of(f.Plan));
        if (f.Plan == PlanPresets.V3Serving) Write(context, PublishedFigures.OfServing(f));
    }

    private static void Write(CommandContext context, IReadOnlyList<Assumption> assumptions)
    {
        context.Streams.Out.WriteLine();
        if (!context.Streams.OutIsTerminal)
        {
            context.Streams.Out.WriteLine("What it rests on");
            foreach (var a in assumptions) context.Streams.Out.WriteLine($"  {a.Name}: {a.Value} ({a.Source}){(a.Change is { } c ? $"; {a.Otherwise}: {Signed(c)} hours" : "")}");
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns("what it rests on", "taken as", "source", "otherwise").AddColumn("hours", c => c.RightAligned());
        foreach (var a in assumptions) table.AddRow(new Text(a.Name), new Text(a.Value), new Text(a.Source), new Text(a.Otherwise ?? ""), new Text(a.Change is { } c ? Signed(c) : ""));
        context.Out.Write(table);
    }

    private static void Write(CommandContext context, IReadOnlyList<PublishedFigure> figures)
    {
        context.Streams.Out.WriteLine();
        if (!context.Streams.OutIsTerminal)
        {
            context.Streams.Out.WriteLine("Beside what is published");
            foreach (var f in figures) context.Streams.Out.WriteLine($"  {f.Name}: {Value(f.Planned, f)}, published {Value(f.Published, f)} ({f.Source})");
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumn("beside what is published").AddColumn("planned", c => c.RightAligned()).AddColumn("published", c => c.RightAligned()).AddColumn("", c => c.RightAligned()).AddColumn("source");
        foreach (var f in figures) table.AddRow(new Text(f.Name), new Text(Value(f.Planned, f)), new Text(Value(f.Published, f)), new Text(Signed(f.Difference)), new Text(f.Source));
        context.Out.Write(table);
    }

    // Four digits tell a difference of a percent.
    private static string Value(double value, PublishedFigure f) => $"{value.ToString("G4", CultureInfo.InvariantCulture)} {f.Unit}";

    private static string Signed(double share) => (share >= 0 ? "+" : "−") + Figures.Percent(Math.Abs(share));

    private static JsonObject Memory(TrainingMemory memory) => new(memory.Parts().Select(p => KeyValuePair.Create(p.Name, JsonOutput.Number(p.Bytes))));

    private static JsonObject Layer((double Compute, double Movements) layer) => new() { ["compute"] = JsonOutput.Number(layer.Compute), ["movements"] = JsonOutput.Number(layer.Movements) };

    private static JsonArray Published(IReadOnlyList<PublishedFigure> figures) => new([.. figures.Select(f => new JsonObject
    {
        ["name"] = f.Name,
        ["unit"] = f.Unit,
        ["published"] = f.Published,
        ["planned"] = JsonOutput.Number(f.Planned),
        ["source"] = f.Source,
    })]);
}
