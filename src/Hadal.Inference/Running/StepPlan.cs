using System.Runtime.InteropServices;
using Hadal.Inference.Cache;
using Hadal.Numerics;

namespace Hadal.Inference.Running;

/// <summary>Rows of the step that lie side by side in the cache.</summary>
/// <param name="Row">First row: of the step, or of a sequence's keys.</param>
/// <param name="Slot">First row of the cache.</param>
/// <param name="Count">How many.</param>
internal readonly record struct CacheRun(int Row, int Slot, int Count);

/// <summary>A prompt piece of the step: its rows, and the runs of the cache that hold the keys it sees.</summary>
internal readonly record struct PromptPiece(int Row, int Count, int Keys, int FirstRun, int Runs);

/// <summary>The index tensors of one step. Rows of generated tokens come first, then the prompt pieces, so that each attention form has its rows
/// together.</summary>
internal sealed class StepPlan
{
    private readonly IBackend _backend;
    private readonly int _heads;
    private readonly List<int> _integers = [];
    private readonly List<CacheRun> _writes = [];
    private readonly List<CacheRun> _reads = [];
    private readonly List<PromptPiece> _pieces = [];

    public StepPlan(IBackend backend, int heads) => (_backend, _heads) = (backend, heads);

    /// <summary>Rows of the step, T.</summary>
    public int Rows { get; private set; }

    /// <summary>How many of them, from row 0 on, are generated tokens, A.</summary>
    public int AbsorbedRows { get; private set; }

    /// <summary>Rows with logits.</summary>
    public int LogitCount { get; private set; }

    /// <summary>I32 [T]: input tokens.</summary>
    public Tensor Ids { get; private set; }

    /// <summary>I32 [T].</summary>
    public Tensor Positions { get; private set; }

    /// <summary>I32 [A]: row of the page tables.</summary>
    public Tensor Sequences { get; private set; }

    /// <summary>I32 [A]: tokens that a row sees.</summary>
    public Tensor Lengths { get; private set; }

    /// <summary>I32 [sequences, most pages].</summary>
    public Tensor PageTables { get; private set; }

    /// <summary>I32 [T, 1]: the first key that a row sees, 0.</summary>
    public Tensor Starts { get; private set; }

    /// <summary>I32 [T, 1]: how many keys a row sees, its own included.</summary>
    public Tensor Ends { get; private set; }

    /// <summary>I32 [H + 1]: where a head's rows start when A rows are sorted by head.</summary>
    public Tensor HeadOffsets { get; private set; }

    /// <summary>I32 [H·A]: from (row, head) to (head, row) order, and back.</summary>
    public Tensor ByHead { get; private set; }

    /// <inheritdoc cref="ByHead"/>
    public Tensor ByRow { get; private set; }

    /// <summary>I32: rows with logits; no tensor if all rows have them.</summary>
    public Tensor LogitIndices { get; private set; }

    /// <summary>Where the step's latents go.</summary>
    public ReadOnlySpan<CacheRun> Writes => CollectionsMarshal.AsSpan(_writes);

    public ReadOnlySpan<PromptPiece> Pieces => CollectionsMarshal.AsSpan(_pieces);

    /// <summary>Where the keys of a prompt piece lie.</summary>
    public ReadOnlySpan<CacheRun> Reads(in PromptPiece piece) => CollectionsMarshal.AsSpan(_reads).Slice(piece.FirstRun, piece.Runs);

    /// <summary>Plans a step; gives every item its rows and every sequence its pages.</summary>
    /// <param name="batch">At least one item.</param>
    /// <param name="arena">Holds the index tensors.</param>
    /// <param name="tokenOffset">0 for the main model; 1 for the MTP module, whose row i takes token i + 1.</param>
    public void Build(StepBatch batch, Arena arena, int tokenOffset)
    {
        var items = batch.Items;
        if (items.IsEmpty) throw new ArgumentException("A step needs at least one sequence.", nameof(batch));
        (Rows, AbsorbedRows, LogitCount) = (0, 0, 0);
        _writes.Clear();
        _reads.Clear();
        _pieces.Clear();
        foreach (ref var item in items)
        {
            item.Sequence.EnsurePages(item.First + item.Count);
            (item.Row, item.LogitRow) = (Rows, LogitCount);
            Rows = checked(Rows + item.Count);
            LogitCount += item.LogitCount;
            if (!item.IsPrompt) AbsorbedRows = Rows;
        }

        foreach (ref readonly var item in items)
        {
            AddRuns(_writes, item.Sequence, item.First, item.Count, item.Row);
            if (!item.IsPrompt) continue;
            int keys = item.First + item.Count, runs = AddRuns(_reads, item.Sequence, 0, keys, 0);
            _pieces.Add(new PromptPiece(item.Row, item.Count, keys, _reads.Count - runs, runs));
        }

        _integers.Clear();
        foreach (ref readonly var item in items)
        {
            foreach (int token in item.Sequence.Tokens.Slice(item.First + tokenOffset, item.Count)) _integers.Add(token);
        }

        Ids = Write(arena, new Shape(Rows));
        _integers.Clear();
        foreach (ref readonly var item in items)
        {
            for (int i = 0; i < item.Count; i++) _integers.Add(item.First + i);
        }

        Positions = Write(arena, new Shape(Rows));
        foreach (ref int position in CollectionsMarshal.AsSpan(_integers)) position++;
        Ends = Write(arena, new Shape(Rows, 1));
        Starts = arena.Allocate(DType.I32, new Shape(Rows, 1));
        _backend.Clear(Starts);
        if (AbsorbedRows > 0) BuildAbsorbed(items, arena);
        BuildLogits(items, arena);
    }

    private void BuildAbsorbed(Span<StepItem> items, Arena arena)
    {
        int sequences = 0, most = 0;
        foreach (ref readonly var item in items)
        {
            if (item.IsPrompt) break;
            sequences++;
            most = Math.Max(most, item.Sequence.Pages.Length);
        }

        _integers.Clear();
        foreach (ref readonly var item in items[..sequences])
        {
            foreach (int page in item.Sequence.Pages) _integers.Add(page);
            for (int i = item.Sequence.Pages.Length; i < most; i++) _integers.Add(0);
        }

        PageTables = Write(arena, new Shape(sequences, most));
        _integers.Clear();
        for (int s = 0; s < sequences; s++)
        {
            for (int i = 0; i < items[s].Count; i++) _integers.Add(s);
        }

        Sequences = Write(arena, new Shape(AbsorbedRows));
        Lengths = Ends.RowRange(0, AbsorbedRows);
        _integers.Clear();
        for (int h = 0; h <= _heads; h++) _integers.Add(h * AbsorbedRows);
        HeadOffsets = Write(arena, new Shape(_heads + 1));
        if (AbsorbedRows == 1) return;

        _integers.Clear();
        for (int h = 0; h < _heads; h++)
        {
            for (int t = 0; t < AbsorbedRows; t++) _integers.Add(t * _heads + h);
        }

        ByHead = Write(arena, new Shape(_heads * AbsorbedRows));
        _integers.Clear();
        for (int t = 0; t < AbsorbedRows; t++)
        {
            for (int h = 0; h < _heads; h++) _integers.Add(h * AbsorbedRows + t);
        }

        ByRow = Write(arena, new Shape(_heads * AbsorbedRows));
    }

    private void BuildLogits(Span<StepItem> items, Arena arena)
    {
        LogitIndices = default;
        if (LogitCount == 0 || LogitCount == Rows) return;
        _integers.Clear();
        foreach (ref readonly var item in items)
        {
            for (int i = item.Count - item.LogitCount; i < item.Count; i++) _integers.Add(item.Row + i);
        }

        LogitIndices = Write(arena, new Shape(LogitCount));
    }

    // Pages that follow each other in the cache make one run.
    private static int AddRuns(List<CacheRun> runs, Sequence sequence, int first, int count, int row)
    {
        int added = 0;
        for (int done = 0; done < count;)
        {
            int slot = sequence.Slot(first + done), length = Math.Min(count - done, LatentCache.PageTokens - (first + done) % LatentCache.PageTokens);
            if (added > 0 && runs[^1].Slot + runs[^1].Count == slot)
            {
                runs[^1] = runs[^1] with { Count = runs[^1].Count + length };
            }
            else
            {
                runs.Add(new CacheRun(row + done, slot, length));
                added++;
            }

            done += length;
        }

        return added;
    }

    private Tensor Write(Arena arena, Shape shape)
    {
        var tensor = arena.Allocate(DType.I32, shape);
        _backend.Write(CollectionsMarshal.AsSpan(_integers), tensor);
        return tensor;
    }
}
