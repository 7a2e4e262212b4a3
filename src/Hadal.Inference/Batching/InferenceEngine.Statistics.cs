namespace Hadal.Inference.Batching;

/// <content>What the engine does, for those who watch.</content>
public sealed partial class InferenceEngine
{
    private readonly Lock _counting = new();
    private EngineStatistics _statistics = new();

    /// <summary>What the engine does now and has done so far.</summary>
    public EngineStatistics Statistics
    {
        get
        {
            lock (_counting)
            {
                return _statistics with
                {
                    Waiting = Math.Max(0, Volatile.Read(ref _pending) - _statistics.Running),
                    MostPages = _cache.MostPages,
                    ExpertCounts = _load?.Counts.ToArray() ?? [],
                    Experts = _load?.Experts ?? 0,
                };
            }
        }
    }

    private void Count(int generated, int prompt, double seconds)
    {
        long proposed = 0, accepted = 0, tokens = 0;
        foreach (var r in _items)
        {
            if (r.Chosen.Count == 0) continue;
            tokens += r.Chosen.Count;
            accepted += r.Chosen.Count - 1;
            proposed += _batch.Items[r.Item].LogitCount - 1;
        }

        lock (_counting)
        {
            _statistics = _statistics with
            {
                Steps = _statistics.Steps + 1,
                ComputedPromptTokens = _statistics.ComputedPromptTokens + prompt,
                GeneratedTokens = _statistics.GeneratedTokens + tokens,
                ProposedDrafts = _statistics.ProposedDrafts + proposed,
                AcceptedDrafts = _statistics.AcceptedDrafts + accepted,
                ReusedPromptTokens = _scheduler.Reused,
                Preemptions = _scheduler.Preemptions,
                StepRows = generated + prompt,
                StepSequences = _items.Count,
                StepSeconds = seconds,
                Running = _scheduler.Running.Count,
                HeldPages = _cache.HeldPages,
                KeptPages = _cache.KeptPages,
            };
        }
    }

    private void UpdateCache()
    {
        lock (_counting)
        {
            _statistics = _statistics with { Running = _scheduler.Running.Count, HeldPages = _cache.HeldPages, KeptPages = _cache.KeptPages };
        }
    }
}
