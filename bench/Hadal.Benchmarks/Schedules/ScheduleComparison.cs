using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Communication.InProcess;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Simulation;
using Hadal.Parallel.Timelines;
using Hadal.Parallel.Traces;
using Hadal.Parallel.Training;
using Hadal.Training.Batches;
using Hadal.Training.Runs;

namespace Hadal.Benchmarks.Schedules;

/// <summary>Each schedule on real layers, against what the simulator makes of the costs that its operations have by themselves.</summary>
/// <remarks>
/// Two ranks, one thread each: on two cores they run at the same time. More ranks than cores would share them, which the simulator does not know. Costs and steps are measured in turns, and each step gives
/// a ratio, since the speed of a machine with neighbours drifts.
/// </remarks>
internal static class ScheduleComparison
{
    private const int Ranks = 2, MicroBatches = 8, Length = 128;

    private static ModelConfig Config { get; } = new()
    {
        VocabularySize = 4096,
        HiddenSize = 512,
        Layers = 8,
        MtpLayers = 0,
        Heads = 8,
        QueryLatentRank = 384,
        LatentRank = 256,
        NopeWidth = 64,
        RopeWidth = 32,
        ValueWidth = 64,
        DenseWidth = 1536,
        ExpertWidth = 256,
        RoutedExperts = 16,
        SharedExperts = 1,
        ExpertsPerToken = 4,
        DenseLayers = 1,
        Groups = 1,
        KeptGroups = 1,
        MaxPositions = 1024,
    };

    /// <summary>Measures and prints a table.</summary>
    /// <param name="arguments">Rounds (9 if left out), and a folder for the last trace of each schedule (none if left out).</param>
    internal static int Run(ReadOnlySpan<string> arguments)
    {
        int rounds = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 9;
        string? folder = arguments.Length > 1 ? arguments[1] : null;
        Console.WriteLine("| schedule | predicted, ms | executed, ms | executed / predicted | range | bubble predicted | bubble executed |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (string name in ScheduleNames.All) Compare(name, rounds, folder);
        return 0;
    }

    private static void Compare(string name, int rounds, string? folder)
    {
        var run = new RunConfig
        {
            Model = (JsonObject)JsonNode.Parse(Config.ToJson())!,
            Tokenizer = "tokenizer.json",
            Data = ["text"],
            Steps = 1000,
            SequenceLength = Length,
            BatchSequences = MicroBatches,
            Parallel = new ParallelSettings { Schedule = name, Pipeline = Ranks },
        };
        var predicted = new List<Timeline>();
        var executed = new List<Timeline>();
        InProcessRanks.Run(Ranks, world =>
        {
            using var backend = new CpuBackend(1);
            var engine = new ParallelEngine(run, Config, backend, world);
            var source = new RandomTokens(Config.VocabularySize, 1);
            using var trainer = new Trainer(run, Config, source, () => engine, _ => throw new InvalidOperationException("This run has no average."));
            var batch = new PackedBatch(1, Length);
            source.Fill(1, 0, batch);
            var costs = new RankCosts(engine, backend, batch);
            var recorder = new RunRecorder(engine, backend);
            for (int step = 1; step <= 2; step++) trainer.Step(step);

            // Costs before and behind every step: a step stands beside the mean of both.
            for (int round = 0; round <= rounds; round++)
            {
                world.Barrier();
                double[] all = world.AllGather<double>(backend, costs.Measure());
                double message = MessageSeconds(world, backend);
                if (world.Rank == 0) predicted.Add(Predict(name, all, message));
                int step = round + 3;
                if (round < rounds && recorder.Record(() => trainer.Step(step)) is { } timeline) executed.Add(timeline);
            }
        });
        if (folder is not null) Save(Path.Combine(folder, $"{name}.json"), executed[^1]);
        double[] ratios = [.. executed.Select((e, i) => 2 * e.Duration / (predicted[i].Duration + predicted[i + 1].Duration)).Order()];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {Median(predicted, t => t.Duration) * 1e3:0} | {Median(executed, t => t.Duration) * 1e3:0} | {RankCosts.Median([.. ratios]):0.000} | {ratios[0]:0.00} to {ratios[^1]:0.00} | {Median(predicted, t => t.BubbleFraction):0.0%} | {Median(executed, t => t.BubbleFraction):0.0%} |"));
    }

    private static double Median(List<Timeline> timelines, Func<Timeline, double> figure) => RankCosts.Median([.. timelines.Select(figure)]);

    // Stages that two ranks have cost their mean.
    private static Timeline Predict(string name, double[] costs, double message)
    {
        var schedule = Schedule.Create(ScheduleNames.Parse(name), Ranks, MicroBatches);
        var layout = schedule.Layout;
        int perRank = costs.Length / Ranks;
        StageCosts[] stages = [.. Enumerable.Range(0, layout.Stages).Select(s => new StageCosts(Of(s, 0), Of(s, 1), Of(s, 2), Of(s, 3)))];
        return ScheduleSimulator.Simulate(schedule, new ScheduleCosts(stages, Pair, new MessageCosts(message, 0, 1)));

        IEnumerable<(int Rank, int Direction)> Places(int stage) =>
            Enumerable.Range(0, Ranks).SelectMany(r => Enumerable.Range(0, layout.Directions).Select(d => (r, d))).Where(p => layout.Stage(p.r, p.d) == stage);

        double Of(int stage, int which) => Places(stage).Average(p => costs[p.Rank * perRank + 4 * p.Direction + which]);

        double Pair(int forward, int backward) => Places(forward).Where(p => layout.Stage(p.Rank, 1 - p.Direction) == backward).Average(p => costs[p.Rank * perRank + 8 + p.Direction]);
    }

    // One micro-batch's activations to the other rank and back, in halves.
    private static double MessageSeconds(ICollective world, CpuBackend backend)
    {
        using var memory = backend.CreateStorage((long)Length * Config.HiddenSize * sizeof(float));
        var values = memory.View(0, DType.F32, new Shape(Length, Config.HiddenSize));
        backend.Clear(values);
        var seconds = new List<double>();
        for (int i = 0; i < 21; i++)
        {
            long started = Stopwatch.GetTimestamp();
            if (world.Rank == 0) world.Send(values, 1).Wait();
            world.Receive(values, 1 - world.Rank).Wait();
            if (world.Rank == 1) world.Send(values, 0).Wait();
            seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds / 2);
        }

        return RankCosts.Median(seconds);
    }

    private static void Save(string path, Timeline timeline)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var file = File.Create(path);
        ChromeTrace.Write(timeline, file);
    }
}
