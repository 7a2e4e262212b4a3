using System.Collections.Concurrent;
using System.Diagnostics;
using Hadal.Inference.Generation;
using Hadal.Inference.Running;

namespace Hadal.Inference.Batching;

/// <content>One step: compute, choose tokens, draft, hand out.</content>
public sealed partial class InferenceEngine
{
    private readonly StepBatch _batch = new();
    private readonly List<RunningSequence> _items = [];
    private readonly StepCost _cost = new();
    private readonly ConcurrentBag<ChoosingRoom> _rooms = [];
    private readonly Lock _reading = new();

    private void Step()
    {
        _scheduler.Admit();
        var (generated, prompt) = _scheduler.Plan(_batch, _items, _cost);
        if (_items.Count == 0) return;
        WatchExperts();
        long start = Stopwatch.GetTimestamp();
        _runner.Forward(_batch);
        ChooseTokens();
        foreach (var r in _items) Take(r);
        foreach (var r in _items) Pool(r);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _cost.Add(generated, prompt, seconds, _options.MostStretch);
        if (_mostDrafts > 0) Draft(prompt > 0);
        foreach (var r in _items) EnterPrefix(r);
        Count(generated, prompt, Stopwatch.GetElapsedTime(start).TotalSeconds);
        foreach (var r in _items) HandOut(r);
    }

    private void WatchExperts()
    {
        if (_load is null) return;
        _load.Begin();
        int row = 0;
        foreach (var r in _items)
        {
            int rows = _batch.Items[r.Item].Count;
            if (r.Stream.ExpertCounts is int[] counts) _load.Watch(row, rows, counts);
            row += rows;
        }
    }

    // Reads the logits and chooses; texts apart from each other, so several at a time where that takes long.
    private void ChooseTokens()
    {
        foreach (var r in _items)
        {
            r.Chosen.Clear();
            r.Scores.Clear();
        }

        int heavy = _items.Count(r => !r.Sampler.IsGreedy || r.Request.Probabilities is not null);
        if (heavy > 1)
        {
            Parallel.For(0, _items.Count, Rent, (i, _, room) => Choose(_items[i], room), _rooms.Add);
            return;
        }

        var own = Rent();
        foreach (var r in _items) Choose(r, own);
        _rooms.Add(own);

        ChoosingRoom Rent() => _rooms.TryTake(out var room) ? room : new ChoosingRoom(_model.Config.VocabularySize, _tokenizer.VocabularySize);
    }

    private ChoosingRoom Choose(RunningSequence r, ChoosingRoom room)
    {
        ref readonly var item = ref _batch.Items[r.Item];
        if (item.LogitCount == 0) return room;
        var sequence = r.Sequence!;
        int first = item.LogitRow, certain = r.Certain, drafts = item.LogitCount - 1;
        r.Sampler.Room = room.Sampling;
        try
        {
            for (int i = 0; ; i++)
            {
                lock (_reading) _model.Backend.Read(_runner.Logits.RowRange(first + i, 1), room.Logits);
                var mask = room.Mask(r.Grammar, r.Text.StopTokens);
                int token = r.Sampler.Sample(room.Logits, sequence.Tokens[..(certain + i)], sequence.PromptLength, mask);
                r.Chosen.Add(token);
                if (r.Request.Probabilities is { } most) r.Scores.Add(room.Score(token, most));
                if (r.Text.IsStop(token)) return room;
                if (r.Grammar is { } grammar)
                {
                    grammar.Accept(token);
                    if (r.IsComplete = grammar.MustEnd) return room;
                }

                if (i == drafts || sequence.Tokens[certain + i] != token) return room;
            }
        }
        catch (GenerationException e)
        {
            r.Error = e;
            return room;
        }
    }

    // Chosen tokens become part of the sequence; what was drafted otherwise goes.
    private void Take(RunningSequence r)
    {
        ref readonly var item = ref _batch.Items[r.Item];
        if (item.LogitCount == 0 || r.Error is not null) return;
        int certain = r.Certain, drafts = item.LogitCount - 1, accepted = r.Chosen.Count - 1;
        r.Sequence!.Truncate(certain + accepted);
        r.Sequence.Append(r.Chosen[^1]);
        foreach (int token in r.Chosen) r.Add(token);
        r.Proposed += drafts;
        r.Accepted += accepted;
        if (_mostDrafts > 0) r.DraftLength.Add(drafts, accepted);
        _scheduler.Charge(r, r.Chosen.Count);
    }

    private void EnterPrefix(RunningSequence r)
    {
        var sequence = r.Sequence!;
        if (_prefixes is null || r.Pool is not null || r.Entered * Cache.LatentCache.PageTokens >= sequence.PromptLength) return;
        int computed = _mostDrafts > 0 ? Math.Min(sequence.CachedLength, sequence.MtpLength) : sequence.CachedLength;
        r.Entered = _prefixes.Enter(sequence, computed, r.Entered, r.Request.PrefixScope);
    }

    private void HandOut(RunningSequence r)
    {
        if (r.Error is { } error)
        {
            End(r, error);
            return;
        }

        if (r.Pool?.Vector is not null) End(r, null);
        if (r.Chosen.Count == 0) return;
        string piece = "";
        int taken = 0, before = r.Generated - r.Chosen.Count;
        foreach (int token in r.Chosen)
        {
            piece += r.Text.Take(token);
            if (r.Text.Ended) break;
            taken++;
            if (before + taken == r.Most) break;
        }

        // A token that completes a stop string belongs to the tokens, a stop token does not.
        if (r.Text is { Ended: true, StopString: not null }) taken++;
        var tokens = r.Chosen.GetRange(0, taken);
        if (r.Text.Ended || r.IsComplete && taken == r.Chosen.Count) Finish(r, FinishReason.Stop, piece, tokens);
        else if (before + taken == r.Most) Finish(r, FinishReason.Length, piece, tokens);
        else r.Stream.Write(new EngineUpdate(piece, tokens, Scores(r, taken), null));
    }

    private static List<TokenScore>? Scores(RunningSequence r, int count) =>
        r.Request.Probabilities is null ? null : r.Scores.GetRange(0, Math.Min(count, r.Scores.Count));
}
