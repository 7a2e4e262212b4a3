using Hadal.Inference.Cache;
using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <summary>What one forward pass computes: rows of one or more sequences, each the next tokens that its cache lacks.</summary>
/// <remarks>
/// Generated tokens come first, then prompt pieces, so that each form of attention has its rows side by side. Reused from step to step; allocates nothing
/// once it has its size.
/// </remarks>
public sealed class StepBatch
{
    private StepItem[] _items = new StepItem[4];

    /// <summary>Number of sequences in the batch.</summary>
    public int Count { get; private set; }

    internal Span<StepItem> Items => _items.AsSpan(0, Count);

    /// <summary>Empties the batch.</summary>
    public void Clear()
    {
        Items.Clear();
        Count = 0;
    }

    /// <summary>Adds the next tokens of a sequence for <see cref="ModelRunner.Forward"/>.</summary>
    /// <param name="sequence">A sequence of the runner's cache that is not yet in the batch.</param>
    /// <param name="tokens">How many, from position <see cref="Sequence.CachedLength"/> on; all prompt or all generated.</param>
    /// <param name="logits">For which rows logits are wanted.</param>
    /// <returns>The place of the item, for <see cref="HiddenRow"/> and <see cref="LogitRow"/>.</returns>
    /// <exception cref="ArgumentException">The sequence has no such tokens, or they cross the end of the prompt, or they are generated and a prompt piece is
    /// before them.</exception>
    public int Add(Sequence sequence, int tokens, LogitRows logits)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        return Add(sequence, sequence.CachedLength, tokens, sequence.Count, logits, default);
    }

    /// <summary>Adds the next rows of a sequence for <see cref="ModelRunner.ForwardMtp"/>: row i takes hidden state i and token i + 1.</summary>
    /// <param name="sequence">A sequence of the runner's cache.</param>
    /// <param name="hidden">[rows, D]: hidden states of the positions from <see cref="Sequence.MtpLength"/> on, after the norm of the module before.</param>
    /// <param name="logits">For which rows logits are wanted.</param>
    /// <returns>The place of the item.</returns>
    /// <exception cref="ArgumentException">The sequence has no such tokens, the rows cross the end of the prompt, or they are generated behind a prompt
    /// piece.</exception>
    public int AddMtp(Sequence sequence, Tensor hidden, LogitRows logits)
    {
        ArgumentNullException.ThrowIfNull(sequence);
        return Add(sequence, sequence.MtpLength, hidden.Rows, sequence.Count - 1, logits, hidden);
    }

    /// <summary>First row of an item in <see cref="ModelRunner.Hidden"/> or <see cref="ModelRunner.MtpHidden"/>.</summary>
    /// <param name="item">Its place.</param>
    /// <returns>The row.</returns>
    public int HiddenRow(int item) => Items[item].Row;

    /// <summary>First row of an item in <see cref="ModelRunner.Logits"/> or <see cref="ModelRunner.MtpLogits"/>.</summary>
    /// <param name="item">Its place.</param>
    /// <returns>The row; meaningless if no logits were wanted.</returns>
    public int LogitRow(int item) => Items[item].LogitRow;

    private int Add(Sequence sequence, int first, int count, int available, LogitRows logits, Tensor hidden)
    {
        if (count < 1 || first + count > available)
            throw new ArgumentException($"Rows {first}..{first + count - 1} are wanted of a sequence that has {available} to compute.", nameof(count));
        bool prompt = first < sequence.PromptLength;
        if (prompt && first + count > sequence.PromptLength)
            throw new ArgumentException($"Rows {first}..{first + count - 1} cross the end of a prompt of {sequence.PromptLength} tokens.", nameof(count));
        if (!prompt && Count > 0 && _items[Count - 1].IsPrompt)
            throw new ArgumentException("Generated tokens have to be added before prompt pieces.", nameof(sequence));
        if (Count == _items.Length) Array.Resize(ref _items, 2 * Count);
        _items[Count] = new StepItem { Sequence = sequence, First = first, Count = count, Logits = logits, Hidden = hidden, IsPrompt = prompt };
        return Count++;
    }
}

/// <summary>One sequence's share of a step.</summary>
internal struct StepItem
{
    public Sequence Sequence;

    /// <summary>Position of the first row.</summary>
    public int First;

    /// <summary>Rows.</summary>
    public int Count;
    public LogitRows Logits;

    /// <summary>Input of an MTP step, [Count, D].</summary>
    public Tensor Hidden;

    /// <summary>Prompt rows attend in the expanded form, generated ones in the absorbed form.</summary>
    public bool IsPrompt;

    /// <summary>First row among the rows of the step.</summary>
    public int Row;

    /// <summary>First row among the rows with logits.</summary>
    public int LogitRow;

    public readonly int LogitCount => Logits switch { LogitRows.None => 0, LogitRows.Last => 1, _ => Count };
}
