using System.Diagnostics;
using Hadal.Inference.Running;
using Hadal.Numerics;

namespace Hadal.Inference.Batching;

/// <content>Drafts of the MTP module, for all texts of a step together (section 6 of the specification).</content>
/// <remarks>
/// The module first computes the rows that the step has settled, from their true hidden states and the tokens behind; the last row of a text gives its first
/// draft. Each further draft takes the module's own output and the draft before. Rows that drafts gave are forgotten again.
/// </remarks>
public sealed partial class InferenceEngine
{
    private readonly StepBatch _mtpBatch = new();
    private readonly List<Drafting> _drafting = [];
    private readonly StepCost _mtpCost = new();
    private readonly int[] _drafts;
    private Storage? _draftIndices;

    private void Draft(bool prompts)
    {
        _drafting.Clear();
        _mtpBatch.Clear();
        int texts = _items.Count(GoesOn), rows = 0;
        double stepSeconds = _cost.Of(texts) / Math.Max(1, texts), draftSeconds = _cost.PerRow + _mtpCost.Of(texts) / Math.Max(1, texts);
        foreach (var r in _items)
        {
            if (r.Pool is not null) continue;
            var sequence = r.Sequence!;
            int settled = sequence.CachedLength - sequence.MtpLength;
            bool goesOn = GoesOn(r), ended = r.Chosen.Count > 0 && !goesOn;

            // A text that has ended leaves its prompt to others, and with it the module's rows; so does one for which drafts do not pay.
            if (r.Error is not null || settled == 0 || (ended || r.DraftLength.IsGivenUp) && sequence.MtpLength >= sequence.PromptLength) continue;
            int most = goesOn ? Math.Min(_mostDrafts, r.Most - r.Generated - 1) : 0;
            int drafts = r.DraftLength.Choose(Math.Max(0, most), stepSeconds, draftSeconds);
            var hidden = _runner.Hidden.RowRange(_batch.HiddenRow(r.Item), settled);
            int item = _mtpBatch.AddMtp(sequence, hidden, drafts > 0 ? LogitRows.Last : LogitRows.None);
            _drafting.Add(new Drafting(r, item, settled, drafts));
            rows += settled;
        }

        if (_drafting.Count == 0) return;
        long start = Stopwatch.GetTimestamp();
        _runner.ForwardMtp(_mtpBatch);
        if (!prompts) _mtpCost.Add(rows, 0, Stopwatch.GetElapsedTime(start).TotalSeconds, _options.MostStretch);
        for (int draft = 0; ReadDrafts(draft) && Continue(draft + 1);) draft++;
        foreach (var d in _drafting) d.Text.Sequence!.MtpLength = Math.Min(d.Text.Sequence.MtpLength, d.Text.Sequence.CachedLength);
    }

    // Tokens were chosen and none of them ends the text. Stop strings are found when the text is handed out; they waste a draft.
    private static bool GoesOn(RunningSequence r) =>
        r.Error is null && !r.IsComplete && r.Chosen.Count > 0 && r.Generated < r.Most && !r.Chosen.Exists(r.Text.IsStop);

    private bool ReadDrafts(int draft)
    {
        var logits = _runner.MtpLogits;
        if (logits.IsEmpty) return false;
        _draftIndices ??= _model.Backend.CreateStorage(sizeof(int) * (long)_drafts.Length);
        var best = _draftIndices.View(0, DType.I32, new Shape(logits.Rows));
        _model.Backend.ArgMax(logits, best);
        _model.Backend.Read(best, _drafts.AsSpan(0, logits.Rows));

        foreach (var d in _drafting)
        {
            if (d.Drafts > draft) d.Text.Sequence!.Append(_drafts[_mtpBatch.LogitRow(d.Item)]);
        }

        return true;
    }

    // The next draft of those texts that want one.
    private bool Continue(int draft)
    {
        var hidden = _runner.MtpHidden;
        var rows = _drafting.Select(d => d.Drafts > draft ? _mtpBatch.HiddenRow(d.Item) + d.Rows - 1 : -1).ToArray();
        _mtpBatch.Clear();
        for (int i = 0; i < rows.Length; i++)
        {
            if (rows[i] < 0) continue;
            _drafting[i].Item = _mtpBatch.AddMtp(_drafting[i].Text.Sequence!, hidden.RowRange(rows[i], 1), LogitRows.Last);
            _drafting[i].Rows = 1;
        }

        if (_mtpBatch.Count == 0) return false;
        _runner.ForwardMtp(_mtpBatch);
        return true;
    }

    private sealed class Drafting(RunningSequence text, int item, int rows, int drafts)
    {
        public RunningSequence Text => text;

        public int Item { get; set; } = item;

        /// <summary>Rows of the text in the module's last batch.</summary>
        public int Rows { get; set; } = rows;

        public int Drafts => drafts;
    }
}
