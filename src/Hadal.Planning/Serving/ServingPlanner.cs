using Hadal.Model.Configuration;
using Hadal.Planning.Models;
using Hadal.Planning.Plans;
using Hadal.Planning.Training;

namespace Hadal.Planning.Serving;

/// <summary>Plans serving deployments from the rates that published kernels reach.</summary>
public static class ServingPlanner
{
    /// <summary>Tokens of a reading device's batch, as in the published profiles: two micro-batches of 8192 would take twice as long.</summary>
    private const int PrefillTokens = 4096;

    /// <summary>The most requests on a device that are looked for.</summary>
    private const int MostRequests = 4096;

    /// <summary>The most devices of a unit.</summary>
    private const int MostDevices = 1 << 20;

    /// <summary>10⁹ bytes a second of dispatch and combine for whole prompts, DeepEP's normal kernels over 32 devices.</summary>
    private const double DispatchGbPerS = 58, CombineGbPerS = 57;

    /// <summary>What a deployment can do.</summary>
    /// <param name="plan">The plan.</param>
    /// <returns>The forecast.</returns>
    /// <exception cref="ConfigException">The plan cannot be: which field, and what would be right.</exception>
    public static ServingForecast Forecast(ServingPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        Check(plan);
        var (model, cluster) = (plan.Model, plan.Cluster);

        // Reading: a layer's forward as in training, its movements hidden behind the other micro-batch.
        var training = new TrainingPlan { Model = model, Cluster = cluster, Layout = new TrainingLayout { Devices = plan.Prefill.Devices, Experts = plan.Prefill.Devices, Pipeline = 1 }, SequenceLength = PrefillTokens };
        var times = new ChunkTimes(training);
        double copies = Math.Min(Math.Min(model.Groups > 1 ? model.KeptGroups : model.ExpertsPerToken, model.ExpertsPerToken), (double)plan.Prefill.Devices / cluster.DevicesPerNode);
        double scale = cluster.NetworkGbPerS / Clusters.Cluster.H800.NetworkGbPerS;
        double moves = PrefillTokens * copies * (LayerWork.DispatchBytes(model, fp8: true) / (DispatchGbPerS * scale * 1e9) + LayerWork.CombineBytes(model) / (CombineGbPerS * scale * 1e9));
        double reading = times.Head.Forward / PrefillTokens, layer = 0;
        for (int l = 0; l < model.Layers; l++)
        {
            bool experts = model.IsMixtureOfExperts(l);
            double compute = times.Of(experts).Attention.Forward + times.Of(experts).Mlp.Forward;
            layer = compute;
            reading += experts ? Math.Max(compute, moves) : compute;
        }

        double computed = cluster.DevicesPerNode * PrefillTokens / reading;

        // Decoding: as many requests as memory and the wanted rate allow.
        var decode = new DecodeTimes(plan);
        int room = (int)Math.Min(MostRequests, decode.CacheTokens / plan.Context);
        int requests = plan.RequestsPerDevice > 0 ? plan.RequestsPerDevice : Enumerable.Range(1, Math.Max(1, room)).LastOrDefault(r => decode.SecondsPerToken(r) <= 1 / plan.TokensPerSecondPerRequest);
        if (requests == 0)
            throw Mistake(plan, "tokens_per_second_per_request", FormattableString.Invariant($"a request alone on its device gets {1 / decode.SecondsPerToken(1):0.#} tokens a second in two micro-batches, less than the {plan.TokensPerSecondPerRequest} that are wanted"));
        if (room < requests)
            throw Mistake(plan, "decode.devices", FormattableString.Invariant($"{requests} requests of {plan.Context} tokens do not fit on a device: {decode.WeightBytes / 1e9:0.0} GB are weights, and {Math.Max(0, cluster.MemoryBytes - plan.ReservedBytes - decode.WeightBytes) / 1e9:0.0} GB are left for {decode.CacheTokens:0} tokens; more devices in the unit would hold fewer experts each"));
        double token = decode.SecondsPerToken(requests), half = requests / 2.0;
        return new ServingForecast(
            plan, computed / (1 - plan.CachedShare), computed, (layer * 1e6, moves * 1e6), cluster.DevicesPerNode * requests / token, requests, token,
            (decode.Compute(true, half) * 1e6, decode.Movements(half) * 1e6), Limit(plan), decode.Floor(), decode.CacheTokens, decode.WeightBytes);
    }

    /// <summary>
    /// The limit that "Insights into DeepSeek-V3" states: in every layer, each of two micro-batches sends one byte and gets two bytes of each value for every token and expert, the shared
    /// one included, and nothing else takes time.
    /// </summary>
    private static double Limit(ServingPlan plan)
    {
        double layer = 3.0 * plan.LimitTokens * (plan.Model.ExpertsPerToken + plan.Model.SharedExperts) * plan.Model.HiddenSize / (plan.Cluster.NetworkGbPerS * 1e9);
        return 1 / (2 * layer * plan.Model.Layers);
    }

    private static void Check(ServingPlan plan)
    {
        foreach (var (field, value) in (ReadOnlySpan<(string, double)>)[
            ("prefill.devices", plan.Prefill.Devices), ("decode.devices", plan.Decode.Devices), ("context", plan.Context), ("tokens_per_second_per_request", plan.TokensPerSecondPerRequest),
            ("low_latency_gb_per_s", plan.LowLatencyGbPerS), ("limit_tokens", plan.LimitTokens), ("cluster.devices_per_node", plan.Cluster.DevicesPerNode), ("cluster.memory_bytes", plan.Cluster.MemoryBytes),
            ("cluster.fp8_tflops", plan.Cluster.Fp8Tflops), ("cluster.fp8_reached_tflops", plan.Cluster.Fp8ReachedTflops), ("cluster.bf16_reached_tflops", plan.Cluster.Bf16ReachedTflops),
            ("cluster.memory_reached_gb_per_s", plan.Cluster.MemoryReachedGbPerS), ("cluster.network_gb_per_s", plan.Cluster.NetworkGbPerS), ("cluster.node_gb_per_s", plan.Cluster.NodeGbPerS)])
        {
            if (!(value > 0) || !double.IsFinite(value)) throw Mistake(plan, field, FormattableString.Invariant($"{field} is {value}, but has to be a number above 0"));
        }

        if (!(plan.CachedShare >= 0 && plan.CachedShare < 1)) throw Mistake(plan, "cached_share", FormattableString.Invariant($"cached_share is {plan.CachedShare}, but has to be a share of at least 0 and below 1"));
        if (plan.RequestsPerDevice < 0) throw Mistake(plan, "requests_per_device", $"requests_per_device is {plan.RequestsPerDevice}, but has to be at least 0");
        foreach (var (name, unit) in (ReadOnlySpan<(string, ServingUnit)>)[("prefill", plan.Prefill), ("decode", plan.Decode)])
        {
            if (unit.Devices > MostDevices) throw Mistake(plan, $"{name}.devices", $"{name}.devices is {unit.Devices}, but at most {MostDevices} are planned");
            long copies = (long)plan.Model.RoutedExperts + unit.RedundantExperts;
            if (unit.RedundantExperts < 0 || copies % unit.Devices != 0)
                throw Mistake(plan, $"{name}.redundant_experts", $"{plan.Model.RoutedExperts} experts and {unit.RedundantExperts} copies cannot be shared out over {unit.Devices} devices; {name}.redundant_experts could be {(unit.Devices - plan.Model.RoutedExperts % unit.Devices) % unit.Devices}");
        }
    }

    private static ConfigException Mistake(ServingPlan plan, string field, string problem) => new(plan.Name, field, problem);
}
