using System.Runtime.InteropServices;

namespace Hadal.Data.Decontamination;

/// <summary>
/// The windows of evaluation items, for finding documents that hold one: a part of an item counts as found if the document holds <see cref="ContaminationRules.MinShare"/> of its
/// windows of <see cref="ContaminationRules.Words"/> words, in whatever order, or the whole of it if it is shorter. Immutable: any number of threads may ask at once.
/// </summary>
/// <remarks>
/// About 11 to 23 bytes a window: 8 a slot at a load of 0.35 to 0.7; three times as much while it is built. A text is gone through once, with two hashes carried from word to word.
/// </remarks>
public sealed class ContaminationIndex
{
    private const int Ring = 64;
    private readonly string[] _sets;
    private readonly ItemPart[] _parts;
    private readonly int[] _windowsOfPart;
    private readonly WindowTable? _spaced;
    private readonly WindowTable? _unspaced;
    private readonly ShortParts _short;

    private ContaminationIndex(ContaminationRules rules, string[] sets, ItemPart[] parts, int[] windowsOfPart, WindowTable? spaced, WindowTable? unspaced, ShortParts shortParts)
    {
        (Rules, _sets, _parts, _windowsOfPart, _spaced, _unspaced, _short) = (rules, sets, parts, windowsOfPart, spaced, unspaced, shortParts);
        Windows = (spaced?.Count ?? 0) + (long)(unspaced?.Count ?? 0);
        Bytes = (spaced?.Bytes ?? 0) + (unspaced?.Bytes ?? 0) + shortParts.Bytes + 16L * parts.Length;
    }

    /// <summary>The rules it was built with.</summary>
    public ContaminationRules Rules { get; }

    /// <summary>Parts of items that are looked for.</summary>
    public int Parts => _parts.Length;

    /// <summary>Different windows in it.</summary>
    public long Windows { get; }

    /// <summary>Bytes that it takes, without a few small objects.</summary>
    public long Bytes { get; }

    /// <summary>Builds it from items.</summary>
    /// <param name="items">The items; each is let go once its windows are taken.</param>
    /// <param name="rules">The rules; null for the defaults.</param>
    /// <exception cref="DataException">The rules are wrong.</exception>
    public static ContaminationIndex Build(IEnumerable<EvaluationItem> items, ContaminationRules? rules = null)
    {
        ArgumentNullException.ThrowIfNull(items);
        rules ??= new ContaminationRules();
        if (rules.Problem() is { } problem) throw new DataException($"The rules of decontamination are wrong: {problem}.");
        var build = new IndexBuild(rules);
        foreach (EvaluationItem item in items) build.Add(item);
        int[] windows = new int[build.Parts.Count];
        WindowTable? spaced = build.Spaced.Table(windows), unspaced = build.Unspaced.Table(windows);
        var shortParts = new ShortParts();
        shortParts.Fill(build.Short);
        return new ContaminationIndex(rules, [.. build.Sets], [.. build.Parts], windows, spaced, unspaced, shortParts);
    }

    /// <summary>The item that a text holds the most of: by share, then by windows, then the first; null if it holds enough of none.</summary>
    /// <param name="text">The text.</param>
    public Contamination? Check(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Best(Found(text));
    }

    /// <summary>What <see cref="Rules"/> make of a text.</summary>
    /// <param name="text">The text.</param>
    public ContaminationVerdict Judge(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Dictionary<int, PartMatch>? found = Found(text);
        if (Best(found) is not { } best) return new ContaminationVerdict(null, text);
        if (Rules.Action is ContaminationAction.Drop) return new ContaminationVerdict(best, null);
        var stretches = found!.Where(f => IsEnough(f.Key, f.Value)).SelectMany(f => f.Value.Stretches);
        return new ContaminationVerdict(best, ContaminationCut.Without(text, stretches, Rules));
    }

    private Dictionary<int, PartMatch>? Found(string text)
    {
        Dictionary<int, PartMatch>? matches = null;
        HashSet<(bool, int)>? seen = null;
        Span<ulong> hashes = stackalloc ulong[Ring];
        Span<int> starts = stackalloc int[Ring];
        hashes.Clear();
        int words = Rules.Words, characters = Rules.Characters, count = 0, ideograph = int.MinValue / 2;
        WindowHash spaced = new(words), unspaced = new(characters), anchor = new(ShortParts.Anchor);
        bool looksSpaced = _spaced is not null, looksUnspaced = _unspaced is not null, looksShort = _short.Count > 0;
        var reader = new TextWords(text);
        while (reader.MoveNext())
        {
            ulong word = reader.Hash;
            if (reader.IsIdeograph) ideograph = count;
            if (looksSpaced)
            {
                spaced.Move(hashes[(count - words) & (Ring - 1)], word);
                if (count + 1 >= words && _spaced!.Find(spaced.Value) is >= 0 and var slot)
                    Take(_spaced, false, slot, starts[(count + 1 - words) & (Ring - 1)], reader.End, ref matches, ref seen);
            }

            if (looksUnspaced)
            {
                unspaced.Move(hashes[(count - characters) & (Ring - 1)], word);
                if (count + 1 >= characters && count - ideograph < characters && _unspaced!.Find(unspaced.Value) is >= 0 and var slot)
                    Take(_unspaced, true, slot, starts[(count + 1 - characters) & (Ring - 1)], reader.End, ref matches, ref seen);
            }

            hashes[count & (Ring - 1)] = word;
            starts[count & (Ring - 1)] = reader.Start;
            if (looksShort)
            {
                anchor.Move(hashes[(count - ShortParts.Anchor) & (Ring - 1)], word);
                if (_short.At(anchor.Value) is { } candidates) TakeShort(candidates, hashes, starts, count, reader.End, ref matches);
            }

            count++;
        }

        return matches;
    }

    private static void Take(WindowTable table, bool unspaced, int slot, int start, int end, ref Dictionary<int, PartMatch>? matches, ref HashSet<(bool, int)>? seen)
    {
        matches ??= [];
        seen ??= [];
        bool isNew = seen.Add((unspaced, slot));
        foreach (int part in table.PartsAt(slot))
        {
            ref PartMatch? match = ref CollectionsMarshal.GetValueRefOrAddDefault(matches, part, out _);
            match ??= new PartMatch();
            if (isNew) match.Windows++;
            match.Add(start, end);
        }
    }

    private static void TakeShort(
        List<(int Part, ulong[] Words)> candidates, ReadOnlySpan<ulong> hashes, ReadOnlySpan<int> starts, int count, int end, ref Dictionary<int, PartMatch>? matches)
    {
        foreach (var (part, words) in candidates)
        {
            if (count + 1 < words.Length) continue;
            bool same = true;
            for (int i = 0; i < words.Length && same; i++) same = hashes[(count - i) & (Ring - 1)] == words[words.Length - 1 - i];
            if (!same) continue;
            matches ??= [];
            ref PartMatch? match = ref CollectionsMarshal.GetValueRefOrAddDefault(matches, part, out _);
            match ??= new PartMatch();
            match.Windows = 1;
            match.Add(starts[(count + 1 - words.Length) & (Ring - 1)], end);
        }
    }

    // A part shorter than a window has none in the tables, and is found as a whole or not at all.
    private double Share(int part, PartMatch match) => _windowsOfPart[part] == 0 ? 1 : (double)match.Windows / _windowsOfPart[part];

    private bool IsEnough(int part, PartMatch match) => Share(part, match) >= Rules.MinShare;

    private Contamination? Best(Dictionary<int, PartMatch>? matches)
    {
        int best = -1;
        foreach (var (part, match) in matches ?? [])
        {
            if (!IsEnough(part, match)) continue;
            if (best >= 0)
            {
                int order = Share(part, match).CompareTo(Share(best, matches![best]));
                if (order == 0) order = match.Windows.CompareTo(matches[best].Windows);
                if (order < 0 || order == 0 && part > best) continue;
            }

            best = part;
        }

        if (best < 0) return null;
        ItemPart found = _parts[best];
        IReadOnlyList<(int Start, int End)> stretches = matches![best].Stretches;
        return new Contamination(_sets[found.Set], found.Item, found.Part, Share(best, matches[best]), stretches[0].Start, stretches[^1].End);
    }
}
