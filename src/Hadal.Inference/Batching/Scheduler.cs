using Hadal.Inference.Cache;
using Hadal.Inference.Running;

namespace Hadal.Inference.Batching;

/// <summary>Decides which texts are in work and what each step computes.</summary>
/// <remarks>
/// <para>
/// A step takes the next token (and its drafts) of every text that generates, then pieces of prompts up to the step's limit. While texts are being read,
/// prompts get no more of a step than <see cref="EngineOptions.MostStretch"/> leaves them.
/// </para>
/// <para>
/// A request is admitted if the cache has room for its prompt: how long its text gets nobody knows. If pages run out later, the text of the lowest priority
/// that came last gives its own up and waits; its tokens are kept, and computed again when it is its turn.
/// </para>
/// </remarks>
internal sealed class Scheduler(LatentCache cache, PrefixIndex? prefixes, EngineOptions options, int mostDrafts)
{
    // A piece of a prompt is not cut shorter than this: its cost is then that of reading the weights.
    private const int LeastPiece = 16;
    private readonly List<RunningSequence> _waiting = [];
    private readonly List<RunningSequence> _running = [];
    private readonly ClientShares _shares = new();

    public IReadOnlyList<RunningSequence> Running => _running;

    public IReadOnlyList<RunningSequence> Waiting => _waiting;

    public bool IsIdle => _waiting.Count == 0 && _running.Count == 0;

    /// <summary>Times that a text gave its pages up.</summary>
    public long Preemptions { get; private set; }

    /// <summary>Tokens of prompts that were there already.</summary>
    public long Reused { get; private set; }

    public void Add(RunningSequence sequence)
    {
        _shares.Begin(sequence.Request.Client);
        _waiting.Add(sequence);
    }

    /// <summary>A text has ended, or is not wanted any more: its pages are free.</summary>
    public void Remove(RunningSequence sequence)
    {
        if (!_running.Remove(sequence)) _waiting.Remove(sequence);
        sequence.Release();
        _shares.End(sequence.Request.Client);
    }

    /// <summary>Generated tokens count against who asked for them.</summary>
    public void Charge(RunningSequence sequence, int tokens) => _shares.Charge(sequence.Request.Client, tokens);

    /// <summary>Takes waiting requests into work as long as there is room.</summary>
    public void Admit()
    {
        while (_running.Count < options.MostSequences && Next() is { } next)
        {
            // Kept pages that the request takes over are not there for others any more, so they count too. Every text in work may want one page soon.
            if (_running.Count > 0 && LatentCache.PagesFor(next.Certain + 1) + _running.Count > cache.MostPages - cache.HeldPages) return;
            _waiting.Remove(next);
            _running.Add(next);
            int reused = next.Admit(cache, prefixes);
            Reused += reused;
            _shares.Charge(next.Request.Client, next.Certain - reused);
        }
    }

    /// <summary>Chooses the rows of the next step.</summary>
    /// <param name="batch">Receives them: generated tokens first, prompts behind.</param>
    /// <param name="items">Receives the texts, in the order of the batch.</param>
    /// <param name="cost">What steps take.</param>
    /// <returns>How many rows are generated tokens whose text goes on with them, drafts included; and how many others.</returns>
    public (int Generated, int Prompt) Plan(StepBatch batch, List<RunningSequence> items, StepCost cost)
    {
        while (true)
        {
            var rows = Try(batch, items, cost, out int pages);
            if (pages <= cache.MostPages - cache.HeldPages) return rows;
            Preempt();
        }
    }

    private (int Generated, int Prompt) Try(StepBatch batch, List<RunningSequence> items, StepCost cost, out int pages)
    {
        batch.Clear();
        items.Clear();
        pages = 0;
        int generated = 0, computed = 0;
        foreach (var r in _running)
        {
            if (r.Sequence!.CachedLength < r.Sequence.PromptLength || r.Missing > 1) continue;
            generated += Add(r, 1 + r.Drafts, LogitRows.All, ref pages);
        }

        int room = Math.Max(LeastPiece, options.StepTokens - generated);
        if (generated > 0) room = cost.NeedsTiming(generated) ? 0 : Math.Min(room, cost.PieceRows);

        // Texts that gave their pages up have generated tokens to compute: those come before the prompts.
        foreach (var r in _running)
        {
            if (r.Sequence!.CachedLength >= r.Sequence.PromptLength && r.Missing > 1 && room > computed) computed += AddPiece(r, r.Missing, room - computed, ref pages);
        }

        foreach (var r in _running)
        {
            int missing = r.Sequence!.PromptLength - r.Sequence.CachedLength;
            if (missing > 0 && room > computed) computed += AddPiece(r, missing, room - computed, ref pages);
        }

        return (generated, computed);

        int AddPiece(RunningSequence r, int missing, int most, ref int pages)
        {
            int rows = Math.Min(missing, most);
            return Add(r, rows, r.Sequence!.CachedLength + rows == r.Certain && r.Pool is null ? LogitRows.Last : LogitRows.None, ref pages);
        }

        int Add(RunningSequence r, int rows, LogitRows logits, ref int pages)
        {
            var sequence = r.Sequence!;
            pages += Math.Max(0, LatentCache.PagesFor(sequence.CachedLength + rows + mostDrafts + 1) - sequence.Pages.Length);
            r.Item = batch.Add(sequence, rows, logits);
            items.Add(r);
            return rows;
        }
    }

    // Higher priority, then fewer tokens had, then the earlier. A request whose prompt is being computed for another waits for it.
    private RunningSequence? Next()
    {
        RunningSequence? best = null;
        foreach (var waiting in _waiting)
        {
            if ((best is null || Before(waiting, best)) && !IsBeingComputed(waiting)) best = waiting;
        }

        return best;

        bool Before(RunningSequence a, RunningSequence b)
        {
            if (a.Request.Priority != b.Request.Priority) return a.Request.Priority > b.Request.Priority;
            double difference = _shares.Of(a.Request.Client) - _shares.Of(b.Request.Client);
            return difference != 0 ? difference < 0 : a.Arrival < b.Arrival;
        }
    }

    private bool IsBeingComputed(RunningSequence waiting)
    {
        if (prefixes is null || waiting.Pool is not null) return false;
        int? known = null;
        foreach (var r in _running)
        {
            if (r.Pool is not null || r.Request.PrefixScope != waiting.Request.PrefixScope || r.Sequence!.CachedLength >= r.Sequence.PromptLength) continue;
            int common = r.Prompt.CommonPrefixLength(waiting.Prompt);
            known ??= prefixes.Match(waiting.Prompt, waiting.Request.PrefixScope);
            if (common > known + LatentCache.PageTokens) return true;
        }

        return false;
    }

    private void Preempt()
    {
        var victim = _running[0];
        foreach (var r in _running)
        {
            if (r.Request.Priority < victim.Request.Priority || r.Request.Priority == victim.Request.Priority && r.Arrival > victim.Arrival) victim = r;
        }

        victim.Release();
        _running.Remove(victim);
        _waiting.Add(victim);
        Preemptions++;
    }
}
