using System.Diagnostics;
using Hadal.Inference.Cache;
using Hadal.Inference.Experts;
using Hadal.Inference.Running;
using Hadal.Inference.Weights;
using Hadal.Numerics;

namespace Hadal.Inference.Measurement;

/// <summary>Measures how fast a model reads prompts and decodes.</summary>
/// <remarks>
/// Prompts are random tokens, since random or not they cost the same. Before decoding at a depth, caches are filled with noise instead of a computed prompt:
/// attention costs the same. The next token is the one after the last (modulo vocabulary): sampling is not measured.
/// </remarks>
public sealed class InferenceBenchmark(InferenceModel model)
{
    private readonly ExpertCount _count = new(model.Backend, model.Config.RoutedExperts);

    /// <summary>Runs a plan.</summary>
    /// <param name="plan">What to measure.</param>
    /// <param name="progress">Told what is measured next; or null.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>The results as they come.</returns>
    /// <exception cref="GenerationException">A depth does not fit in the model's context.</exception>
    public IEnumerable<BenchmarkResult> Run(BenchmarkPlan plan, IProgress<string>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Prefill > 0)
        {
            progress?.Report($"prompt of {plan.Prefill} tokens");
            yield return Prefill(plan, cancellation);
        }

        if (plan.Decode <= 0) yield break;
        foreach (int batch in plan.Batches)
        {
            foreach (int depth in plan.Depths)
            {
                progress?.Report($"decoding {batch} at depth {depth}");
                yield return Decode(plan, batch, depth, cancellation);
            }
        }
    }

    private BenchmarkResult Prefill(BenchmarkPlan plan, CancellationToken cancellation)
    {
        using var cache = model.CreateCache(plan.Prefill, plan.CacheType);
        using var runner = new ModelRunner(model, cache);
        var batch = new StepBatch();
        var seconds = new List<double>();
        var before = model.ExpertStatistics;
        for (int run = 0; run <= plan.Repetitions; run++)
        {
            if (run == 1) before = model.ExpertStatistics;
            using var sequence = cache.CreateSequence(RandomTokens(plan.Prefill, run));
            batch.Clear();
            batch.Add(sequence, plan.Prefill, LogitRows.Last);
            if (run == 0) runner.Observer = _count.Start();
            var watch = Stopwatch.StartNew();
            runner.Forward(batch, cancellation);
            // The first run compiles and touches everything for the first time.
            if (run > 0) seconds.Add(watch.Elapsed.TotalSeconds);
            runner.Observer = null;
        }

        return Result(plan, "prefill", 1, 0, plan.Prefill, plan.Prefill, Median(seconds), plan.Prefill / 2.0, logits: 1) with { Experts = Since(before) };
    }

    private BenchmarkResult Decode(BenchmarkPlan plan, int sequences, int depth, CancellationToken cancellation)
    {
        const int Warmup = 8;
        int start = Math.Max(1, depth), most = start + 1 + Warmup + plan.Decode * plan.Repetitions;
        if (most > model.Config.MaxPositions)
            throw new GenerationException($"Decoding {plan.Decode} tokens at depth {depth} {plan.Repetitions} times needs {most} positions; the model has {model.Config.MaxPositions}.");
        using var cache = model.CreateCache(sequences * (LatentCache.PagesFor(most) + 1) * LatentCache.PageTokens, plan.CacheType);
        using var runner = new ModelRunner(model, cache);
        runner.Reserve(most);
        var texts = new List<Sequence>();
        var batch = new StepBatch();
        try
        {
            for (int s = 0; s < sequences; s++)
            {
                var sequence = cache.CreateSequence(RandomTokens(start, s), most);
                texts.Add(sequence);
                sequence.EnsurePages(most);
                sequence.CachedLength = start;
            }

            FillWithNoise(cache);
            var seconds = new List<double>();
            var before = model.ExpertStatistics;
            for (int run = 0; run <= plan.Repetitions; run++)
            {
                if (run == 1) before = model.ExpertStatistics;
                var watch = Stopwatch.StartNew();
                int steps = run == 0 ? Warmup : plan.Decode;
                for (int step = 0; step < steps; step++)
                {
                    batch.Clear();
                    foreach (var text in texts)
                    {
                        text.Append((text.Tokens[^1] + 7919) % model.Config.VocabularySize);
                        batch.Add(text, 1, LogitRows.Last);
                    }

                    if (run == 0 && step == steps - 1) runner.Observer = _count.Start();
                    runner.Forward(batch, cancellation);
                    runner.Observer = null;
                }

                if (run > 0) seconds.Add(watch.Elapsed.TotalSeconds / plan.Decode);
            }

            double mean = start + Warmup + plan.Decode * plan.Repetitions / 2.0;
            return Result(plan, "decode", sequences, depth, sequences, sequences, Median(seconds), mean, sequences) with { Experts = Since(before) };
        }
        finally
        {
            foreach (var text in texts) text.Dispose();
        }
    }

    private ExpertStatistics? Since(ExpertStatistics? before) => before is null ? null : model.ExpertStatistics!.Since(before);

    // What a step of so many rows reads and computes. Every matrix is read once, of the experts those that rows chose.
    private BenchmarkResult Result(BenchmarkPlan plan, string kind, int batch, int depth, int rows, int tokens, double seconds, double keys, int logits)
    {
        var config = model.Config;
        var cacheType = plan.CacheType ?? model.DefaultCacheType;
        var head = model.Head(default);
        double bytes = head.ByteLength, operations = 2.0 * logits * head.OutFeatures * head.InFeatures;
        for (int l = 0; l < config.Layers; l++)
        {
            var layer = model.Layer(l, default);
            bool expanded = kind == "prefill";
            foreach (var w in new[] { layer.Down, layer.Query, layer.AttentionOutput, layer.Router, layer.GateUp, layer.DenseDown })
            {
                if (w is null) continue;
                bytes += w.ByteLength;
                operations += 2.0 * rows * w.OutFeatures * w.InFeatures;
            }

            bytes += expanded ? layer.LatentUp.ByteLength : layer.QueryAbsorption.ByteLength + layer.ValueUp.ByteLength;
            operations += 2.0 * rows * layer.LatentUp.OutFeatures * layer.LatentUp.InFeatures;
            int width = expanded ? config.NopeWidth + config.RopeWidth + config.ValueWidth : 2 * config.LatentRank + config.RopeWidth;
            operations += 2.0 * rows * keys * config.Heads * width;
            bytes += batch * keys * LatentFormat.Columns(cacheType, config.LatentRank, config.RopeWidth) * cacheType.SizeOf();
            if (layer.ExpertGateUp is not { } gateUp || layer.ExpertDown is not { } down) continue;
            bytes += (double)_count.Distinct(l) * (gateUp.MatrixBytes + down.MatrixBytes);
            operations += 2.0 * rows * config.Router.ExpertsPerToken * ((double)gateUp.OutFeatures * gateUp.InFeatures + (double)down.OutFeatures * down.InFeatures);
        }

        return new BenchmarkResult(kind, batch, depth, tokens / seconds, bytes / tokens, operations / tokens);
    }

    private void FillWithNoise(LatentCache cache)
    {
        var random = new Random(1);
        for (int l = 0; l < model.CacheLayers; l++)
        {
            var rows = cache.Layer(l);
            if (rows.Type is not (DType.F32 or DType.BF16)) return;
            using var storage = model.Backend.CreateStorage((long)LatentCache.PageTokens * rows.Columns * sizeof(float));
            var page = storage.View(0, DType.F32, new Shape(LatentCache.PageTokens, rows.Columns));
            var values = new float[page.Count];
            for (int i = 0; i < values.Length; i++) values[i] = random.NextSingle() * 2 - 1;
            model.Backend.Write(values, page);
            for (int row = 0; row < rows.Rows; row += LatentCache.PageTokens) model.Backend.Copy(page, rows.RowRange(row, LatentCache.PageTokens));
        }
    }

    private int[] RandomTokens(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(model.Config.VocabularySize))];
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    /// <summary>Counts the experts that a step uses.</summary>
    private sealed class ExpertCount(IBackend backend, int experts) : IForwardObserver
    {
        private readonly Dictionary<int, int> _distinct = [];

        public ExpertCount Start()
        {
            _distinct.Clear();
            return this;
        }

        public int Distinct(int layer) => _distinct.GetValueOrDefault(layer);

        public void Observe(ForwardPoint point, int layer, Tensor values)
        {
            if (point != ForwardPoint.Experts) return;
            var chosen = new bool[experts];
            var indices = new int[values.Count];
            backend.Read(values, indices);
            foreach (int e in indices) chosen[e] = true;
            _distinct[layer] = chosen.Count(c => c);
        }
    }
}
